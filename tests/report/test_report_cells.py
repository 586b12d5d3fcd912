"""Text files: the cells that stand there, and what is refused in words."""

import bz2
import csv
import gzip
import io
import lzma
import pickle
import unicodedata
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ehrgan.report import header, separated
from ehrgan.report.cells import iter_cells, read_cells
from ehrgan.report.errors import ReportError

CSV = "age,sex,hb\n61,f,12.50\n047,m,\n3,F,NA\n"
CELLS = {"age": ["61", "047", "3"], "sex": ["f", "m", "F"], "hb": ["12.50", "", "NA"]}


def write(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(folder, content, **options):
    return read_cells(write(folder, content), **options).table.to_dict("list")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_text_is_read_as_it_is_written(tmp_path, encoding, delimiter, end):
    text = CSV.replace(",", delimiter).replace("\n", end) + f'1{delimiter}"ü{delimiter} ""{end}"'
    found = read_cells(write(tmp_path, (text + f'{delimiter}"2"').encode(encoding)))
    assert found.table.to_dict("list") == {
        "age": [*CELLS["age"], "1"],
        "sex": [*CELLS["sex"], f'ü{delimiter} "'],
        "hb": [*CELLS["hb"], "2"],
    }
    assert (found.table.dtypes == "str").all()
    assert (found.fields, found.dialect, found.notes) == ({}, {}, [])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a,b\n 1 ,x \n\n2,y\n ,\n", {"a": ["1", "2", ""], "b": ["x", "y", ""]}),
        ("a\xa0,\u200bb\n\xa01,\ufeffx\u3000\n", {"a": ["1"], "b": ["x"]}),
        ("\n , \na , ,c\n1,2,3\n", {"a": ["1"], "unnamed 2": ["2"], "c": ["3"]}),
        (",age\n4,30\n9,40\n", {"unnamed 1": ["4", "9"], "age": ["30", "40"]}),
        ("0,1,2\n5,6,7\n", {"0": ["5"], "1": ["6"], "2": ["7"]}),
        ("id,2019,2020\n5,6,7\n", {"id": ["5"], "2019": ["6"], "2020": ["7"]}),
        ("3,age,sex\n5,6,7\n", {"3": ["5"], "age": ["6"], "sex": ["7"]}),
        ("sex,died\nf,died\nm,alive\n", {"sex": ["f", "m"], "died": ["died", "alive"]}),
        ("a;b\n1,5;1.234,5\n,;3\n", {"a": ["1,5", ","], "b": ["1.234,5", "3"]}),
        ("a;b\n1,2,3;x, y\n", {"a": ["1,2,3"], "b": ["x, y"]}),
        ("a,b\n1E10,01067\n−1.5,1'234\n", {"a": ["1E10", "−1.5"], "b": ["01067", "1'234"]}),
        ('a,b\n1,"x ""y"""\n2,""\n3,""""\n', {"a": ["1", "2", "3"], "b": ['x "y"', "", '"']}),
        ('a,b\n1,5" pipe\n2,"y"\n', {"a": ["1", "2"], "b": ['5" pipe', "y"]}),
        ('a, b\n1, "x, y"\n2, z\n', {"a": ["1", "2"], "b": ["x, y", "z"]}),
        ("a,b\n1,2\n,\n \n3,4", {"a": ["1", "", "3"], "b": ["2", "", "4"]}),
        ("sep=|\na,b|c\n1,2|3\n", {"a,b": ["1,2"], "c": ["3"]}),
        ("gro\u0308ße,b\no\u0308,2\n", {"größe": ["ö"], "b": ["2"]}),
        ("a\n1\n2\n", {"a": ["1", "2"]}),
        ("[a],[b]\n1,2\n", {"[a]": ["1"], "[b]": ["2"]}),
    ],
)
def test_what_looks_odd_stays_as_it_is(tmp_path, text, wanted):
    assert cells(tmp_path, text) == wanted


@pytest.mark.parametrize("above", ["Study of sepsis\n\n", "Study,,\n,,\n", "# 3, 4\n# by us\n"])
def test_names_below_a_title_are_read_where_the_line_is_given(tmp_path, above):
    with pytest.raises(ReportError, match=r"line 1 .* names \d of 3 columns.*header=3"):
        cells(tmp_path, above + CSV)
    found = read_cells(write(tmp_path, above + CSV), header=3)
    assert found.table.to_dict("list") == CELLS and found.dialect == {"header": 3}
    with pytest.raises(ReportError, match="nothing in line 9"):
        cells(tmp_path, CSV, header=9)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a,b;c\n1,2;3\n", {"delimiter": ";"}),
        ("a,b:c\n1,2:3\n", {"delimiter": ":"}),
        ("a,b·c\n1,2·3\n", {"delimiter": "·"}),
    ],
)
def test_a_delimiter_may_be_named(tmp_path, text, options):
    found = read_cells(write(tmp_path, text), **options)
    assert found.table.to_dict("list") == {"a,b": ["1,2"], "c": ["3"]} and found.dialect == options


LETTERS = {
    "gbk": "年龄,性别\n35,男\n",
    "shift_jis": "年齢,性別\n35,男\n",
    "cp1251": "возраст,пол\n35,ж\n",
    "cp1250": "wiek,płeć\n35,mężczyzna\n",
    "utf-16-le": "größe,b\n35,ö\n",
}


@pytest.mark.parametrize("encoding", LETTERS)
def test_an_encoding_that_is_named_is_used(tmp_path, encoding):
    names, row = (line.split(",") for line in LETTERS[encoding].split())
    path = write(tmp_path, LETTERS[encoding].encode(encoding))
    found = read_cells(path, encoding=encoding)
    assert found.table.to_dict("list") == {n: [c] for n, c in zip(names, row, strict=True)}
    assert found.dialect == {"encoding": encoding}


def test_an_encoding_is_guessed_aloud_or_asked(tmp_path):
    found = read_cells(write(tmp_path, "größe,stadt\n1,Köln\n".encode("cp1252")))
    assert found.table.to_dict("list") == {"größe": ["1"], "stadt": ["Köln"]}
    assert found.dialect == {"encoding": "cp1252"} and "cp1252 (größe, Köln)" in found.notes[0]
    with pytest.raises(ReportError, match=r"may be .*gb18030 \(年龄, 性别, 男\).*encoding="):
        cells(tmp_path, LETTERS["gbk"].encode("gbk"))
    with pytest.raises(ReportError, match="UTF-8 but for some lines"):
        cells(tmp_path, "a,b\né,1\nü,2\nß,3\n".encode() + b"\xe9,4\n")
    with pytest.raises(ReportError, match=r"is not utf-8 throughout.*encoding="):
        cells(tmp_path, "a,é\n1,2\n".encode("cp1252"), encoding="utf-8")
    for name in ("klingon", "base64"):
        with pytest.raises(ReportError, match=f"encoding '{name}' is unknown"):
            cells(tmp_path, CSV, encoding=name)


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: zipped(a=data, __MACOSX=b"")]
)
def test_packed_text_is_unpacked_and_broken_packages_are_told(tmp_path, pack):
    assert cells(tmp_path, pack(CSV.encode())) == CELLS
    with pytest.raises(ReportError, match="cannot be read"):
        cells(tmp_path, pack(CSV.encode() * 500)[:-9])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b",,\n,,\n", "is blank"),
        (b"a,b\n", "has no rows"),
        (b"a,b,a\n1,2,3\n", r"\['a'\] occur more than once"),
        (b"a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2"),
        ("\n".join(line + "," * (k > 0) for k, line in enumerate(CSV.split())), "line 2: 4 fields"),
        (CSV + "(3 rows affected)\n", "line 5: 1 fields"),
        (b"1.5,2\n3,4.5\n", "has no line of names: its line 1"),
        (b"61,f,12.5,x,no\n63,m,12,y,no\n", "has no line of names.*header=1"),
        (b"f,yes\nm,no\nf,yes\n", "has no line of names.*or delete line 3, if it repeats them"),
        (CSV * 2, "or delete line 5, if it repeats them"),
        (CSV + 200 * "4,m,9\n" + CSV, "has its names again where record 204 stands"),
        (CSV + "4,m,9,9\n", "line 5: 4 fields where the header has 3"),
        (b"age,sex\n1,30,f\n2,40,m\n", "names 2 of 3 columns"),
        (b"a,b;c\n1,2;3\n", "splits alike by ',' and by ';'.*delimiter=','"),
        (b'a,b\n1,"x\n2,y\n3,z\n', "line 2: .*close every double quote"),
        (b'a,b\n1,"x"y\n2,y\n', "line 2: .*close every double quote"),
        (b'a,b\n1,2\n1,"x\n2,y"z\n3,q\n', "line 3: .*close every double quote"),
        (b'a,b\n"1","say \\"x\\" y"\n', 'line 2: .*""'),
        (b"a,b\n1,\0\n", "holds NUL"),
        (CSV.encode("utf-16-le"), "holds NUL.*utf-16-le"),
        (b'[{"a": 1}, {"a": 2}]', "is JSON"),
        (b'{"a": 1}\n{"a": 2}\n', "is JSON"),
        (b"\xef\xbb\xbf<html><table><tr><td>1</td></tr></table>", "is a web page or XML"),
        (b"%PDF-1.4", "is a document"),
        (pickle.dumps({"a": [1]}), "is a pickle"),
        (gzip.compress(b"RDX3\nX\n\0\0\0\3"), "of a kind that is not read"),
        (b"\x89HDF\r\n\x1a\n", "of a kind that is not read"),
        (b"0" * 40 + b"ASCII SPSS PORT FILE  \n" + b"0" * 80, "a portable file of SPSS"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4\n", "Git LFS"),
        (zipped(a=CSV, b=CSV), r"packs the files \['a', 'b'\]"),
        (b"\x1f\x8brest", "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",  # a zip holds the time
)
def test_what_is_no_table_is_refused_by_what_it_is(tmp_path, content, message):
    with pytest.raises(ReportError, match=message):
        cells(tmp_path, content)


def test_paths_and_delimiters_that_are_none_are_refused(tmp_path):
    with pytest.raises(ReportError, match="does not exist"):
        read_cells(tmp_path / "none.csv")
    with pytest.raises(ReportError, match="is a folder"):
        read_cells(tmp_path)
    with pytest.raises(ReportError, match="delimiter must be one character"):
        cells(tmp_path, CSV, delimiter=";;")


@pytest.mark.parametrize("quote", ['"', ""])
def test_long_cells_are_read_whole(tmp_path, quote):
    wide = "x" * 5_000_000
    assert cells(tmp_path, f"a,b\n1,{quote}{wide}{quote}\n2,y\n")["b"] == [wide, "y"]


@pytest.mark.parametrize("block", [1, 7, 100])
def test_a_long_file_comes_in_parts_and_its_lines_are_counted_through(tmp_path, monkeypatch, block):
    monkeypatch.setattr(separated, "BLOCK", block)
    text = "name;v\n" + "".join(f'"Smith; {k}\nJ";{k},5\n' for k in range(50))
    parts = list(iter_cells(write(tmp_path, text)))
    assert len(parts) > 5 and all(part.table.index[0] == 0 for part in parts)
    found = read_cells(write(tmp_path, text)).table
    assert found["v"].tolist() == [f"{k},5" for k in range(50)]
    assert found["name"].tolist() == [f"Smith; {k}\nJ" for k in range(50)]
    assert found.index.tolist() == list(range(50))
    with pytest.raises(ReportError, match=r"line 103: 1 fields .* has 2 \(separated by ';'\)"):
        list(iter_cells(write(tmp_path, text + "\nSmith\nx;1\n")))


cell = st.text(st.characters(exclude_categories=["C"]), max_size=8) | st.from_regex(
    r'\A[",;\n\r a]{0,6}\Z'
)


@settings(max_examples=150)
@given(
    rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=8),
    block=st.sampled_from([3, 99]),
)
def test_what_pythons_writer_writes_comes_back(tmp_path_factory, rows, block):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("no one", "no two", "no three"), *rows])
    path = write(tmp_path_factory.mktemp("any"), text.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(separated, "BLOCK", block)
        found = read_cells(path, delimiter=",").table.to_numpy().tolist()
    normal = unicodedata.normalize
    assert found == [[normal("NFC", c).strip(header.BLANKS) for c in row] for row in rows]


@settings(max_examples=150)
@given(content=st.one_of(st.binary(max_size=200), st.text('a,;\n"1é.- \t', max_size=200)))
def test_any_bytes_give_a_table_or_a_sentence(tmp_path_factory, content):
    path = write(tmp_path_factory.mktemp("any"), content)
    try:
        found = read_cells(path)
        assert (found.table.dtypes == "str").all() and not found.table.isna().to_numpy().any()
    except ReportError as error:
        assert len(str(error)) > 20


def test_names_that_stand_again_far_below_are_found_in_any_part(tmp_path, monkeypatch):
    monkeypatch.setattr(separated, "BLOCK", 200)
    path = write(tmp_path, CSV + 200 * "4,m,9\n" + CSV)
    with pytest.raises(ReportError, match="has its names again where record 204 stands"):
        list(iter_cells(path))
    alone = write(tmp_path, "sex\nf\nm\n" + 200 * "sex\n")  # of one column it may be a value
    assert len(read_cells(alone, header=1).table) == 202
