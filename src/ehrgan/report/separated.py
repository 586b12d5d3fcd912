"""Read separated text: its encoding, what stands between cells, and every cell as it is written."""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from itertools import islice

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from charset_normalizer import from_bytes

from .errors import ReportError
from .header import BLANKS, header_of

DELIMITERS = ",;\t|"
BLOCK = 1 << 24  # characters of text that are read at a time
HEAD = 1 << 20  # those that tell how it is laid out
MARKS = {  # the longer of those that begin alike come first
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: Encodings among which a file's own is looked for.
ENCODINGS = (
    "cp1252 gb18030 shift_jis big5 euc_kr euc_jp cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 koi8_r"
).split()


def tables_of(path, opened, dialect):
    """Table, fields, dialect and notes of each part of a file of text."""
    encoding, notes = _encoding(path, opened, dialect.get("encoding"))
    if not encoding.startswith("utf"):
        dialect = {**dialect, "encoding": encoding}
    with io.TextIOWrapper(opened(), encoding, newline="") as stream:
        try:
            delimiter, line, names = _layout(path, stream.read(HEAD), dialect)
            stream.seek(0)
            for _ in islice(stream, line):  # down to the names
                pass
            for block in _blocks(stream):
                if "\0" in block:
                    raise ReportError(
                        f"path '{path}' is no text in {encoding}, as it holds NUL: save the table "
                        "as CSV in UTF-8, or name its encoding, as in encoding='utf-16-le'"
                    )
                block = unicodedata.normalize("NFC", block)
                yield _records(path, block, names, delimiter, line), {}, dialect, notes
                line += max(block.count("\n"), block.count("\r"))
        except UnicodeError as error:
            raise ReportError(
                f"path '{path}' is not {encoding} throughout ({error}): name its encoding, as in "
                "encoding='cp1252', or save it as CSV in UTF-8"
            ) from error


def _encoding(path, opened, encoding):
    """The file's encoding, and a note if it was guessed."""
    with opened() as stream:
        head = stream.read(4)
        stream.seek(0)
        for mark, name in MARKS.items():
            if head.startswith(mark):
                return name, []
        if encoding is None and all(map(_is_utf8, stream)):
            return "utf-8", []
    if encoding is None:
        with opened() as stream:
            return _guess(path, list(islice((k for k in stream if not k.isascii()), 200)))
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)
    except LookupError:
        raise ReportError(f"encoding {encoding!r} is unknown: name one, as 'gbk'") from None
    return encoding, []


def _is_utf8(line):
    try:
        return line.isascii() or bool(line.decode())
    except UnicodeDecodeError:
        return False


def _guess(path, lines):
    """The likeliest encoding, with the words by which a reader can tell."""
    if 2 * sum(map(_is_utf8, lines)) > len(lines):
        raise ReportError(
            f"path '{path}' is UTF-8 but for some lines: correct them, or name its encoding, as in "
            "encoding='cp1252'"
        )
    sample = b"".join(lines)
    found = list(from_bytes(sample, cp_isolation=ENCODINGS))
    best = [m for m in found if (m.chaos, m.coherence) == (found[0].chaos, found[0].coherence)]
    texts = {str(match): match.encoding for match in best} or {sample.decode("latin-1"): "latin-1"}
    usual = sample.decode("cp1252", "replace")  # of those alike the commonest, as it is told
    texts = {usual: "cp1252"} if usual in texts else texts
    words = {
        name: ", ".join(list(dict.fromkeys(re.findall(r"\w*[^\W\x00-\x7f]\w*", text)))[:3])
        for text, name in texts.items()
    }
    name, shown = next(iter(words)), " or ".join(f"{n} ({w})" for n, w in words.items())
    if len(words) > 1:
        raise ReportError(
            f"path '{path}' is not UTF-8, and its encoding may be {shown}: say which, as in "
            f"encoding={name!r}"
        )
    return name, [
        f"The file is not UTF-8; it was read as {shown}: if these letters are wrong, name its "
        "encoding."
    ]


def _layout(path, head, dialect):
    """Delimiter, number of the line that names the columns, and the names."""
    csv.field_size_limit(2**31 - 1)
    header, delimiter = dialect.get("header"), dialect.get("delimiter")
    first = header or 1
    if told := re.match(r'"?sep=(.)"?\r?\n', head):  # as Excel writes it
        delimiter, first = delimiter or told[1], max(first, 2)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ReportError(f"delimiter must be one character, as ';', got {delimiter!r}")
    heads, scores = {}, {}
    for mark in delimiter or DELIMITERS:
        rows = heads[mark] = _head_rows(head, mark, first)
        widths = Counter(len(cells) for _, cells in rows)
        width, n = max(widths.items(), key=lambda item: item[::-1], default=(0, 0))
        scores[mark] = (n / len(rows), width) if width > 1 else (0, 0)
    best = [mark for mark in scores if scores[mark] == max(scores.values())]
    if len(best) > 1 and scores[best[0]] > (0, 0):
        raise ReportError(
            f"path '{path}' splits alike by {' and by '.join(map(repr, best))}: say which "
            f"separates the columns, as in delimiter={best[0]!r}"
        )
    return best[0], *header_of(path, heads[best[0]], header, "line")


def _head_rows(head, mark, first):
    """Of the first lines that are not blank, numbers (of the last of each row's) and cells."""
    rows = _reader(head, mark)
    found = []
    for row in islice(rows, 200):
        cells = [unicodedata.normalize("NFC", cell).strip(BLANKS) for cell in row]
        found += [(rows.line_num, cells)] if rows.line_num >= first and any(cells) else []
    # the last may be cut
    return found[:-1] if len(head) == HEAD and next(rows, None) is None else found


def _reader(text, delimiter, **how):
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, **how)


def _blocks(stream):
    """Text in pieces that end where a record does."""
    while block := stream.read(BLOCK):
        block += stream.readline()
        while block.count('"') % 2 and (more := stream.read(BLOCK)):
            block += more + stream.readline()
        yield block


def _records(path, block, names, delimiter, line):
    """Table of a block that stands below so many lines."""
    # a quote that does not begin, end or stand doubled in a quoted cell is left to Python's reader
    ends = rf"[\r\n{re.escape(delimiter)}]"
    quoted = rf'(?:^|(?<={ends}))"[^"]*(?:""[^"]*)*"(?={ends}|$)'
    table = None
    if delimiter.isascii() and ('"' not in block or '"' not in re.sub(quoted, "", block)):
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(block.encode()),
                pa.csv.ReadOptions(column_names=names, block_size=1 << 22),
                pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in block),
                pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
            )
        except pa.ArrowInvalid:
            pass  # Python's reader is slower, and names the line
    if table is None:
        rows = _rows(path, block, names, delimiter, line)
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        table = pa.table([pa.array(list(c), pa.large_string()) for c in columns], names)
    columns = [pa.compute.utf8_trim(cells, characters=BLANKS) for cells in table.columns]
    return pa.table(columns, names).to_pandas()


def _rows(path, block, names, delimiter, line):
    """Rows of cells, every one as long as the header, or the line that is not."""
    reader = _reader(block, delimiter, strict=True)
    rows, start = [], line + 1
    try:
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
            elif any(cell.strip(BLANKS) for cell in row):
                raise ReportError(
                    f"path '{path}' line {start}: {len(row)} fields where the header has "
                    f"{len(names)} (separated by {delimiter!r}); put text that holds the separator "
                    "in double quotes, give every line as many fields, and let no line stand above "
                    "that of the names unless you say which that is (header=3)"
                )
            start = line + reader.line_num + 1
    except csv.Error as error:
        raise ReportError(
            f"path '{path}' line {start}: {error}; close every double quote, and write one inside "
            'a quoted field as ""'
        ) from error
    return rows
