// Which test pair is looked at, and all of them with their scores: #unseen/37 is the address of one.
"use strict";

repose.shownBy = {}; // by method, protocol and number of the pair: what the site has of it
repose.index = (shown) => { repose.shownBy = shown; };

// show(protocol, list, pair) is called whenever another pair is looked at; viewer hears the keys n and p.
repose.browse = (data, viewer, show) => {
  const browse = document.getElementById("browse"), table = document.getElementById("pairs");
  let protocol, pair;

  const list = () => data.protocols[protocol];
  const number = (metric, k) => {
    const value = list().values[metric.name][k];
    return value === null ? null : value * metric.factor;
  };
  const text = (value, digits) => (value === null ? "–" : value.toPrecision(digits));

  function fromAddress() {
    const [name, wanted] = decodeURIComponent(location.hash.slice(1)).split("/");
    if (!protocol || (name in data.protocols && name !== protocol)) {
      protocol = name in data.protocols ? name : Object.keys(data.protocols)[0];
      fillLists();
    }
    pair = wanted && Number(wanted) in list().items ? Number(wanted) : list().ranked.find((k) => k in list().shown) ?? 0;
    look();
  }
  const go = (name, k) => { location.hash = `${encodeURIComponent(name)}/${k}`; };

  function fillLists() {
    browse.protocol.value = protocol;
    const { items, metrics, rankedBy, shown } = list(), first = metrics.find((metric) => metric.name === rankedBy);
    const dot = (k) => (k in shown ? " ●" : "");
    browse.pair.replaceChildren(...items.map(([identity, pose], k) => {
      const option = element("option", `${k}: ${identity} in the pose of ${pose}${first ? `, ${text(number(first, k), 3)}` : ""}${dot(k)}`);
      option.value = k;
      return option;
    }));
    const columns = items[0]?.length === 2 ? ["source", "target"] : ["identity", "pose", "truth"];
    const heads = ["pair", ...columns, ...metrics.map((metric) => metric.title)].map((title, k) => {
      const head = element("th", undefined, { scope: "col", class: k > columns.length ? "number" : "" });
      head.append(element("button", title, { type: "button" }));
      return head;
    });
    table.tHead.rows[0].replaceChildren(...heads);
    table.tBodies[0].replaceChildren(...items.map((names, k) => {
      const row = element("tr", undefined, { "data-pair": k }), cell = element("td", undefined, { "data-value": k });
      cell.append(element("a", `${k}${dot(k)}`, { href: `#${encodeURIComponent(protocol)}/${k}` }));
      row.append(cell, ...names.map((name) => element("td", name)));
      for (const metric of metrics)
        row.append(element("td", text(number(metric, k), 4), { class: "number", "data-value": number(metric, k) ?? "" }));
      return row;
    }));
  }

  function look() {
    const { metrics, ranked } = list(), told = metrics.map((metric) => `${metric.title} ${text(number(metric, pair), 4)}`);
    browse.pair.value = pair;
    document.getElementById("numbers").textContent = `Pair ${pair}, number ${ranked.indexOf(pair) + 1} of ${ranked.length} from the best. ${told.join(", ")}.`;
    for (const row of table.tBodies[0].rows) row.classList.toggle("current", Number(row.dataset.pair) === pair);
    show(protocol, list(), pair);
  }

  function step(name) {
    const { ranked, shown } = list(), here = Object.keys(shown).map(Number).sort((a, b) => a - b), at = here.findIndex((k) => k >= pair);
    const before = here[(at < 0 ? here.length : at) - 1] ?? here.at(-1), after = here.find((k) => k > pair) ?? here[0];
    go(protocol, { best: ranked[0], median: ranked[Math.floor(ranked.length / 2)], worst: ranked.at(-1), previous: before, next: after }[name]);
  }
  browse.addEventListener("click", (event) => event.target.dataset.go && step(event.target.dataset.go));
  browse.protocol.addEventListener("change", () => { location.hash = encodeURIComponent(browse.protocol.value); });
  browse.pair.addEventListener("change", () => go(protocol, browse.pair.value));
  browse.other.addEventListener("change", () => {
    if (browse.other.value) location.href = `${repose.up}${browse.other.value}#${encodeURIComponent(protocol)}/${pair}`;
  });
  browse.addEventListener("submit", (event) => event.preventDefault());
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "n" || event.key === "p") step(event.key === "n" ? "next" : "previous");
  });
  addEventListener("hashchange", fromAddress);
  browse.other.value = "";
  fromAddress();
  return look;
};
