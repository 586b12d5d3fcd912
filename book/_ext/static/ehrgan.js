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
