// Sample bodies on the page of a dataset. A click measures the distance of everything from there, along the skin.
"use strict";

{
  const data = pageData(), viewer = new repose.Viewer(document.getElementById("viewer"), data.bodies.length);
  const ramp = repose.ramp(data.colours), said = document.getElementById("measured"), legend = document.querySelector(".legend");
  const canMeasure = data.bodies.every(([, , distances]) => distances);
  document.getElementById("ramp").style.background = ramp.gradient;
  document.getElementById("distances").hidden = !canMeasure;

  async function show(colours = []) {
    legend.hidden = !colours.length;
    const faces = await repose.faces(data.faces);
    await Promise.all(data.bodies.map(async ([name, address], number) => {
      const vertices = await repose.body(address);
      viewer.show(number, "", name, [{ file: `${name}.obj`, vertices, faces, colours: colours[number] }]);
    }));
  }

  // From one vertex to all, as `repose.site.geodesics` packs them; never less than the straight line.
  async function measured([, address, distances], from) {
    const [places, { head: scale, numbers }] = await Promise.all([repose.body(address), repose.load(distances)]);
    const count = places.length / 3, rank = scale.length, codes = Float64Array.from(numbers, (code) => code - data.middle);
    return Float32Array.from({ length: count }, (_, v) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += scale[k] * codes[from * rank + k] * codes[v * rank + k];
      const [x, y, z] = [0, 1, 2].map((axis) => places[3 * v + axis] - places[3 * from + axis]);
      return Math.max(sum, Math.hypot(x, y, z));
    });
  }

  async function measure(x, y) {
    const picked = canMeasure && viewer.pick(x, y);
    if (!picked) return;
    const [number, vertex] = picked, found = await Promise.all(data.bodies.map((body) => measured(body, vertex)));
    const far = found.map((values) => Math.max(...values)), most = Math.max(...far);
    await show(found.map((values) => ramp.paint(values, most)));
    document.getElementById("most").textContent = `${most.toFixed(2)} m`;
    said.textContent = `From vertex ${vertex}, the same on all bodies: ${data.bodies[number][0]} reaches ${far[number].toFixed(2)} m.`;
  }

  let pressed;
  viewer.element.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; }, { capture: true });
  viewer.element.addEventListener("pointerup", (event) => { // a drag turns the bodies
    if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4) measure(event.clientX, event.clientY);
    pressed = undefined;
  }, { capture: true });
  viewer.element.addEventListener("keydown", (event) => {
    const box = viewer.panels[0].box.getBoundingClientRect();
    if (event.key === "Enter" && event.target === viewer.element) measure((box.left + box.right) / 2, (box.top + box.bottom) / 2);
  });
  document.getElementById("plain").addEventListener("click", () => show());
  show();
}
