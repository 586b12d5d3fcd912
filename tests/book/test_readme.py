"""README.md holds what the last build found, and nothing is typed."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ehrgan.book import readme
from ehrgan.paper.scorecard import PAPER_CLASSIFIERS
from ehrgan.paper.tables import paper_tables

README = "# Title\n<!-- glue: a -->\nold\n<!-- /glue -->\nkept\n<!-- glue: b -->\n<!-- /glue -->\n"


def glue(name, data):
    """An output as `myst_nb.glue` leaves it."""
    prefix = "application/papermill.record/"
    data = {prefix + kind: text for kind, text in data.items()}
    about = {"scrapbook": {"name": name, "mime_prefix": prefix}}
    return new_output("display_data", data=data, metadata=about)


def build(root, *notebooks, parameters=None):
    """A folder with README.md and executed chapters, each a list of cells, a cell its outputs."""
    folder = root / "_build" / "book" / "notebooks"
    folder.mkdir(parents=True)
    for i, cells in enumerate(notebooks):
        notebook = new_notebook(cells=[new_code_cell(outputs=outputs) for outputs in cells])
        if parameters is not None:
            notebook.metadata["papermill"] = {"parameters": parameters if i else {}}
        nbformat.write(notebook, folder / f"{i}.ipynb")
    (root / "README.md").write_text(README, encoding="utf-8")
    return root


def test_glued_values_come_from_every_cell_and_markdown_wins():
    plain, both = {"text/plain": "1"}, {"text/plain": "<object>", "text/markdown": "*2*"}
    other = new_output("display_data", data={"text/plain": "not glued"})
    cells = [[glue("a", plain), other, glue("b", both)], [], [glue("c", plain)]]
    notebook = new_notebook(cells=[new_code_cell(outputs=outputs) for outputs in cells])
    assert readme.glued_values(notebook) == {"a": "1", "b": "*2*", "c": "1"}


def test_every_place_is_filled_with_its_own_value_and_the_rest_stays():
    filled = readme.fill(README, {"a": " | x | \n| y |\n", "b": "two", "c": "unused"})
    places = ["# Title", "<!-- glue: a -->", "| x | ", "| y |", "<!-- /glue -->", "kept"]
    places += ["<!-- glue: b -->", "two", "<!-- /glue -->", ""]
    assert filled.split("\n") == places
    assert readme.fill(filled, {"a": "old", "b": ""}) == README.replace(
        "b -->\n<!--", "b -->\n\n<!--"
    )


def test_the_readme_is_filled_from_all_chapters(tmp_path):
    root = build(tmp_path, [[glue("a", {"text/plain": "1"})]], [[glue("b", {"text/plain": "2"})]],
                 parameters={})  # fmt: skip
    assert readme.main(root) == 0
    assert (root / "README.md").read_text() == README.replace("old", "1").replace(
        "b -->\n", "b -->\n2\n"
    )


def test_a_build_with_changed_parameters_fills_nothing(tmp_path, capsys):
    values = [[glue(name, {"text/plain": "1"}) for name in "ab"]]
    root = build(tmp_path, values, values, parameters={"n_trials": 1})
    assert readme.main(root) == 1
    assert "1.ipynb ran with changed parameters" in capsys.readouterr().err
    assert (root / "README.md").read_text() == README


def test_a_place_that_no_chapter_fills_leaves_the_readme_as_it_is(tmp_path, capsys):
    root = build(tmp_path, [[glue("a", {"text/plain": "1"})]])
    assert readme.main(root) == 1
    assert "wants 'b', which no chapter" in capsys.readouterr().err
    assert (root / "README.md").read_text() == README


@pytest.mark.parametrize("column, table, metric", [(1, 1, "accuracy"), (2, 2, "accuracy"),
                                                   (3, 2, "auc_roc")])  # fmt: skip
def test_the_committed_table_tells_the_papers_number_then_ours(column, table, metric):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert "the paper's number, then ours with its 95 % interval" in text
    place = readme.PLACE.search(text)
    assert place[2] == "readme_table"
    lines = [line.strip("| ").split(" | ") for line in place[0].splitlines()[3:-1]]
    assert [line[0] for line in lines] == [*PAPER_CLASSIFIERS, "Logistic regression"]
    told = paper_tables().query("table == @table").set_index("classifier")[metric]
    for name, *cells in lines:
        paper, ours = cells[column - 1].split(" · ")
        assert paper == (f"{told[name]:.4f}" if name in told.index else "not reported")
        mean, low, high = re.fullmatch(r"(\S+) \((\S+)–(\S+)\)", ours).groups()
        assert float(low) < float(mean) < float(high)
