(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const said = byId("said");

  for (const button of document.querySelectorAll("button.copy")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("button.copy");
    if (!button) return;
    const command = button.parentElement.querySelector("code");
    let copied = true;
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(command);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      copied = document.execCommand("copy");
    }
    said.textContent = copied ? "Copied." : "Selected; copy it with the keyboard.";
    const label = button.firstChild;
    label.data = copied ? "Copied" : "Selected";
    setTimeout(() => { label.data = "Copy"; }, 1500);
  });

  const form = byId("filters");
  const reveal = () => {
    const fragment = location.hash.slice(1);
    const found = fragment.startsWith("case:") && byId(fragment);
    if (!found) return;
    if (found.hidden && form) { form.reset(); apply(); }
    found.open = true;
    found.scrollIntoView();
    found.querySelector("summary").focus({ preventScroll: true });
  };
  if (!form) return;

  const rows = [...document.querySelectorAll("details.case")].map((element) => ({
    element,
    verdict: element.dataset.verdict,
    group: element.dataset.group,
    levels: element.dataset.levels.split(" "),
    text: `${element.querySelector("summary").textContent} ${element.querySelector(".told").textContent}`.toLowerCase(),
  }));
  const groups = [...document.querySelectorAll("section.group")];
  const boxes = [...form.querySelectorAll("[name=verdict]")];
  const { group, level, q } = form.elements;

  const wanted = () => ({
    verdicts: boxes.filter((box) => box.checked).map((box) => box.value),
    group: group.value,
    level: level.value,
    words: q.value.toLowerCase().split(/\s+/).filter(Boolean),
  });
  const matches = (row, want) =>
    (!want.group || row.group === want.group) &&
    (!want.level || row.levels.includes(want.level)) &&
    want.words.every((word) => row.text.includes(word));

  function apply() {
    const want = wanted();
    const shown = new Map(groups.map((section) => [section.dataset.group, 0]));
    const counts = new Map(boxes.map((box) => [box.value, 0]));
    let total = 0;
    for (const row of rows) {
      const other = matches(row, want);
      const show = other && (!want.verdicts.length || want.verdicts.includes(row.verdict));
      row.element.hidden = !show;
      if (other) counts.set(row.verdict, counts.get(row.verdict) + 1);
      if (show) { total += 1; shown.set(row.group, shown.get(row.group) + 1); }
    }
    for (const section of groups) {
      const here = shown.get(section.dataset.group);
      const label = section.querySelector(".shown");
      const all = Number(label.dataset.total);
      section.hidden = here === 0;
      label.textContent = `${here === all ? "" : `${here} of `}${all} ${all === 1 ? "case" : "cases"}`;
    }
    for (const label of form.querySelectorAll("[data-count]")) label.textContent = counts.get(label.dataset.count);
    const told = `${total} of ${rows.length} ${rows.length === 1 ? "case" : "cases"}`;
    if (byId("count").textContent !== told) byId("count").textContent = told;
    byId("nothing").hidden = total !== 0;
  }

  function remember() {
    const want = wanted();
    const hash = new URLSearchParams();
    if (want.verdicts.length) hash.set("verdict", want.verdicts.join(","));
    if (want.group) hash.set("group", want.group);
    if (want.level) hash.set("level", want.level);
    if (q.value.trim()) hash.set("q", q.value.trim());
    history.replaceState(null, "", hash.size ? `#${hash}` : location.href.split("#")[0]);
  }

  function arrive() {
    const fragment = location.hash.slice(1);
    const filtered = /^(verdict|group|level|q)=/.test(fragment);
    if (filtered) {
      const hash = new URLSearchParams(fragment);
      const verdicts = (hash.get("verdict") || "").split(",");
      for (const box of boxes) box.checked = verdicts.includes(box.value);
      group.value = hash.get("group") || "";
      level.value = hash.get("level") || "";
      q.value = hash.get("q") || "";
      // A select that has no such option stands on nothing; "all" is the honest value then.
      for (const select of [group, level]) if (select.selectedIndex < 0) select.value = "";
    }
    apply();
    if (filtered) byId("cases").scrollIntoView();
    reveal();
  }

  const changed = () => { apply(); remember(); };
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  byId("expand").addEventListener("click", () => {
    for (const row of rows) if (!row.element.hidden) row.element.open = true;
  });
  byId("collapse").addEventListener("click", () => {
    for (const row of rows) row.element.open = false;
  });
  addEventListener("hashchange", arrive);

  addEventListener("beforeprint", () => { byId("legend").dataset.was = byId("legend").open; byId("legend").open = true; });
  addEventListener("afterprint", () => { byId("legend").open = byId("legend").dataset.was === "true"; });

  form.hidden = false;
  arrive();
  // The browser goes to the fragment itself once the page is loaded, and would take the focus away again.
  addEventListener("load", () => setTimeout(reveal));
})();
