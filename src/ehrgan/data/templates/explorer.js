(() => {
  const root = document.currentScript.closest(".ehrgan-explorer");
  const { cells, fpr, metrics } = JSON.parse(root.querySelector(".data").textContent);
  const form = root.querySelector("form");
  const choose = [...form.querySelectorAll("select")];
  const key = () => choose.map((select) => select.value).join("|");
  form.reset(); // a browser may bring back choices of the last visit
  const first = cells[key()];
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const select of choose) {
    const value = asked.get(select.id);
    if ([...select.options].some((option) => option.value === value)) select.value = value;
  }

  function show() {
    const [protocol, imputer, classifier, fraction] = choose.map((select) => select.value);
    const asPaper = !(key() in cells); // under "peek" only a classifier with epochs can peek
    const cell = asPaper ? cells[["paper", imputer, classifier, fraction].join("|")] : cells[key()];
    const points = fpr.map((x, i) => `${300 * x} ${300 * (1 - cell.tpr[i])}`);
    root.querySelector(".curve").setAttribute("d", `M0 300L${points.join("L")}`);
    for (const metric of metrics) {
      const [mean, low, high] = cell[metric];
      const less = mean - first[metric][0];
      const [one, two, three] = root.querySelectorAll(`tr[data-metric="${metric}"] td`);
      one.textContent = mean.toFixed(4);
      two.textContent = `${low.toFixed(3)}\u2013${high.toFixed(3)}`;
      three.textContent = (less < 0 ? "\u2212" : less ? "+" : "") + Math.abs(less).toFixed(4);
    }
    const [accuracy] = cell.accuracy;
    root.querySelector(".said span").textContent =
      choose.map((select) => select.selectedOptions[0].text).join(", ") +
      (asPaper ? " (no epoch to choose, so as under paper)" : "") +
      `: accuracy ${accuracy.toFixed(4)}`;
  }

  form.addEventListener("change", () => {
    show();
    const chosen = new URLSearchParams(choose.map((select) => [select.id, select.value]));
    history.replaceState(null, "", `#${chosen}`);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
})();
