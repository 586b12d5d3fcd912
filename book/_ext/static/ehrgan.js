// Live code comes from another host, and only on a click. Without a network, say so in words.
window.addEventListener("error", (event) => {
  const failed = event.target;
  if (typeof THEBE_JS_URL === "undefined" || failed.tagName !== "SCRIPT") return;
  if (failed.src !== THEBE_JS_URL) return;
  failed.remove();
  const button = document.querySelector(".thebe-launch-button");
  button.setAttribute("role", "status");
  button.textContent =
    "Live code could not be loaded: it needs a network. The page itself is whole without it, " +
    "and the notebook runs on your own machine.";
}, true);

// Paper is white: the dark theme's pale letters would vanish on it. What is folded away is unfolded,
// but for the table of six pages that stands in for the choices.
window.addEventListener("beforeprint", () => {
  const { dataset } = document.documentElement;
  dataset.themeOnScreen = dataset.theme;
  dataset.theme = "light";
  document.querySelectorAll("article details:not(.ehrgan-explorer *, .hide)")
    .forEach((part) => { part.open = true; });
});
window.addEventListener("afterprint", () => {
  const { dataset } = document.documentElement;
  dataset.theme = dataset.themeOnScreen;
});

// A table as it stands, for a spreadsheet.
document.querySelectorAll("article .cell_output table:has(caption)").forEach((table) => {
  const button = document.createElement("button");
  button.className = "ehrgan-csv";
  button.textContent = "CSV";
  button.title = "Save this table as CSV";
  button.addEventListener("click", () => {
    const quoted = (cell) => `"${cell.textContent.trim().replaceAll('"', '""').replaceAll("\u2212", "-")}"`;
    const lines = [...table.rows].map((row) => [...row.cells].map(quoted).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
    link.download = `${table.id || "table"}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  table.caption.append(button);
});

// The entry for BibTeX, by the library that copies code; the button says that it is done.
if (typeof ClipboardJS !== "undefined") {
  new ClipboardJS(".btn-cite-button").on("success", ({ trigger }) => {
    trigger.querySelector("[role=status]").textContent = "Copied";
  });
}
