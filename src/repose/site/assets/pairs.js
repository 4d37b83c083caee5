// The bodies of a test pair, with the error in colour and a wipe between two methods.
"use strict";

{
  const data = pageData(), viewer = new repose.Viewer(document.getElementById("viewer"), 4);
  const [scale, against, wipe] = ["scale", "against", "wipe"].map((id) => document.getElementById(id));
  const ramp = repose.ramp(data.colours);
  document.getElementById("ramp").style.background = ramp.gradient;
  let turnsOfShow = 0;

  async function show(protocol, { items, shown }, pair) {
    const turn = ++turnsOfShow, names = items[pair];
    document.getElementById("most").textContent = `${scale.selectedOptions[0].textContent} and more`;
    const other = against.value && repose.shownBy[against.value]?.[protocol]?.[pair];
    const addresses = [...names.map((name) => data.names[name]), shown[pair], other || undefined];
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
  const errors = (vertices, truth) => ramp.paint(repose.distances(repose.centred(vertices), repose.centred(truth)), Number(scale.value));

  document.getElementById("turn").addEventListener("click", () => viewer.reset());
  wipe.addEventListener("input", () => { viewer.wipe = wipe.value / 100; viewer.draw(); });
  const again = repose.browse(data, viewer.element, show);
  scale.addEventListener("change", again);
  against.addEventListener("change", again);
}
