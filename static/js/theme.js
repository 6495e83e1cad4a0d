// Before the first paint: the colours that this browser chose (else as the system does).
(function () {
  try {
    const chosen = localStorage.getItem("e2a-theme");
    if (chosen === "e2a" || chosen === "e2a-dark") document.documentElement.dataset.theme = chosen;
  } catch { /* storage is switched off: as the system */ }
})();
