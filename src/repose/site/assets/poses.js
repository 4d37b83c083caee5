// Poses that a method has generated: #new-body is the address of some.
"use strict";

{
  const data = pageData(), choose = document.getElementById("choose"), element = document.getElementById("viewer");
  const most = Math.max(...Object.values(data.protocols).map((bodies) => bodies.length));
  const viewer = new repose.Viewer(element, most);
  let turn = 0;

  async function show() {
    const mine = ++turn, wanted = decodeURIComponent(location.hash.slice(1));
    if (wanted in data.protocols) choose.protocol.value = wanted;
    const bodies = data.protocols[choose.protocol.value], faces = await repose.faces(data.faces);
    const found = await Promise.all(bodies.map(([, address]) => repose.body(address)));
    if (mine !== turn) return; // others were asked for meanwhile
    viewer.panels.forEach((panel, number) => {
      panel.box.hidden = number >= bodies.length;
      const [name] = bodies[number] ?? [""];
      viewer.show(number, "", name, number < bodies.length ? [{ file: `${name}.obj`, vertices: found[number], faces }] : []);
    });
  }
  choose.protocol.addEventListener("change", () => { location.hash = encodeURIComponent(choose.protocol.value); });
  choose.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", show);
  show();
}
