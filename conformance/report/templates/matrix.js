(() => {
  "use strict";
  const form = document.getElementById("choice");
  if (!form) return;
  const { scenario } = form.elements;
  const said = document.getElementById("told-of");
  const marks = [...document.querySelectorAll(".marks a")];
  const apply = () => {
    const wanted = scenario.value;
    document.body.classList.toggle("filtered", wanted !== "");
    for (const mark of marks) mark.hidden = wanted !== "" && mark.dataset.scenario !== wanted;
    said.textContent = scenario.selectedOptions[0].dataset.told || "";
    history.replaceState(null, "", wanted ? `#scenario=${encodeURIComponent(wanted)}` : location.pathname + location.search);
  };
  const restore = () => {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("scenario") || "";
    scenario.value = [...scenario.options].some((option) => option.value === wanted) ? wanted : "";
    if (wanted || document.body.classList.contains("filtered")) apply();
  };
  form.hidden = false;
  scenario.addEventListener("change", apply);
  addEventListener("hashchange", restore);
  restore();
})();
