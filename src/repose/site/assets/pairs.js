// The test pairs of a method on a dataset: #unseen/37 is the address of one.
"use strict";

{
  const data = JSON.parse(document.getElementById("data").textContent), browse = document.getElementById("browse");
  const [scale, against, wipe] = ["scale", "against", "wipe"].map((id) => document.getElementById(id));
  const viewer = new repose.Viewer(document.getElementById("viewer"), 4);
  const ramp = data.colours.map((colour) => new THREE.Color().setRGB(...colour, "srgb"));
  const css = data.colours.map((colour) => `rgb(${colour.map((part) => Math.round(part * 255)).join(" ")})`);
  document.getElementById("ramp").style.background = `linear-gradient(to right, ${css.join(", ")})`;
  let protocol, pair, turnsOfShow = 0;

  const list = () => data.protocols[protocol];
  const number = (metric, k) => list().values[metric.name]?.[k] * metric.factor;
  const ranked = () => list().triples.map((_, k) => k).sort((a, b) => list().values[data.rankedBy][a] - list().values[data.rankedBy][b]);
  const metrics = () => data.metrics.filter((metric) => metric.name in list().values);

  // Where we are, in the address

  function fromAddress() {
    const [name, text] = decodeURIComponent(location.hash.slice(1)).split("/");
    const changed = !protocol || (name in data.protocols && name !== protocol);
    if (changed) {
      protocol = name in data.protocols ? name : Object.keys(data.protocols)[0];
      fillLists();
    }
    const wanted = Number(text);
    pair = text && wanted in list().triples ? wanted : ranked().find((k) => k in list().shown) ?? 0;
    show();
  }
  const go = (name, k) => { location.hash = `${encodeURIComponent(name)}/${k}`; };

  function fillLists() {
    browse.protocol.value = protocol;
    const first = data.metrics.find((metric) => metric.name === data.rankedBy);
    browse.pair.replaceChildren(...list().triples.map(([identity, pose], k) => {
      const option = element("option", `${k}: ${identity} in the pose of ${pose}, ${number(first, k).toPrecision(3)}${k in list().shown ? " ●" : ""}`);
      option.value = k;
      return option;
    }));
    const table = document.getElementById("pairs");
    const heads = ["pair", "identity", "pose", "truth", ...metrics().map((metric) => metric.title)].map((title, k) => {
      const head = element("th", undefined, { scope: "col", class: k > 3 ? "number" : "" });
      head.append(element("button", title, { type: "button" }));
      return head;
    });
    table.tHead.rows[0].replaceChildren(...heads);
    table.tBodies[0].replaceChildren(...list().triples.map((names, k) => {
      const row = element("tr", undefined, { "data-pair": k }), cell = element("td", undefined, { "data-value": k });
      cell.append(element("a", `${k}${k in list().shown ? " ●" : ""}`, { href: `#${encodeURIComponent(protocol)}/${k}` }));
      row.append(cell, ...names.map((name) => element("td", name)));
      for (const metric of metrics())
        row.append(element("td", number(metric, k).toPrecision(4), { class: "number", "data-value": number(metric, k) }));
      return row;
    }));
  }

  // Bodies

  async function show() {
    const turn = ++turnsOfShow, names = list().triples[pair], order = ranked();
    browse.pair.value = pair;
    const told = metrics().map((metric) => `${metric.title} ${number(metric, pair).toPrecision(4)}`);
    document.getElementById("numbers").textContent = `Pair ${pair}, number ${order.indexOf(pair) + 1} of ${order.length} from the best. ${told.join(", ")}.`;
    document.getElementById("most").textContent = `${scale.selectedOptions[0].textContent} and more`;
    for (const row of document.getElementById("pairs").tBodies[0].rows) row.classList.toggle("current", Number(row.dataset.pair) === pair);

    const other = against.value && repose.shownBy[against.value]?.[protocol]?.[pair];
    const addresses = [...names.map((name) => data.names[name]), list().shown[pair], other || undefined];
    const found = await Promise.allSettled([repose.faces(data.faces), ...addresses.map((address) => (address ? repose.body(address) : null))]);
    if (turn !== turnsOfShow) return; // another pair was asked for meanwhile
    const [faces, ...bodies] = found.map((one) => one.value ?? null);
    ["identity", "pose", "truth"].forEach((title, k) => one(k, title, names[k], bodies[k] && [plain(bodies[k], names[k], faces)]));
    const painted = (vertices, method) => vertices && { ...plain(vertices, `${method}_${protocol}_${pair}`, faces), colours: bodies[2] && errors(vertices, bodies[2]) };
    const both = [painted(bodies[3], data.method), painted(bodies[4], against.value)].filter(Boolean);
    const title = against.value ? `${data.method} | ${against.value}` : data.method;
    const missing = against.value && !other ? `${against.value} has no body of this pair here` : "";
    one(3, title, missing || "prediction", both.length ? both : null);
    document.getElementById("wipe-label").hidden = both.length < 2;
  }
  const one = (k, title, name, bodies) => viewer.show(k, title, name, bodies ?? [], bodies ? "" : "not in this site");
  const plain = (vertices, name, faces) => ({ file: `${name}.obj`, vertices, faces });

  function errors(vertices, truth) {
    const far = repose.distances(repose.centred(vertices), repose.centred(truth)), most = Number(scale.value);
    const colours = new Float32Array(3 * far.length), mixed = new THREE.Color();
    far.forEach((distance, v) => {
      const at = Math.min(distance / most, 1) * (ramp.length - 1), k = Math.min(Math.floor(at), ramp.length - 2);
      mixed.copy(ramp[k]).lerp(ramp[k + 1], at - k).toArray(colours, 3 * v);
    });
    return colours;
  }

  // What a reader does

  function step(name) {
    const order = ranked(), here = Object.keys(list().shown).map(Number).sort((a, b) => a - b), at = here.findIndex((k) => k >= pair);
    const before = here[(at < 0 ? here.length : at) - 1] ?? here.at(-1), after = here.find((k) => k > pair) ?? here[0];
    go(protocol, { best: order[0], median: order[Math.floor(order.length / 2)], worst: order.at(-1), previous: before, next: after }[name]);
  }
  browse.addEventListener("click", (event) => event.target.dataset.go && step(event.target.dataset.go));
  browse.protocol.addEventListener("change", () => { location.hash = encodeURIComponent(browse.protocol.value); });
  browse.pair.addEventListener("change", () => go(protocol, browse.pair.value));
  browse.other.addEventListener("change", () => {
    if (browse.other.value) location.href = `${repose.up}${browse.other.value}#${encodeURIComponent(protocol)}/${pair}`;
  });
  browse.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("viewer").addEventListener("keydown", (event) => {
    if (event.key === "n" || event.key === "p") step(event.key === "n" ? "next" : "previous");
  });
  document.getElementById("turn").addEventListener("click", () => viewer.reset());
  scale.addEventListener("change", show);
  against.addEventListener("change", show);
  wipe.addEventListener("input", () => { viewer.wipe = wipe.value / 100; viewer.draw(); });
  addEventListener("hashchange", fromAddress);
  browse.other.value = "";
  fromAddress();
}
