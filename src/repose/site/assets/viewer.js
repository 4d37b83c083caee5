// Bodies side by side under one camera. Meshes are scripts that call `repose.arrived`, and are loaded when they are seen.
"use strict";

repose.viewers = [];

// Loading

repose.waiting = new Map(); // address → what is told when it is there
repose.loaded = new Map(); // address → promise of { head, numbers }

// Whole numbers of so many digits each, as `repose.site.digits` writes them, and the floats that say what they mean.
const digits = new Uint8Array(127);
Array.from({ length: 95 }, (_, k) => k + 32).filter((code) => !'"<\\/'.includes(String.fromCharCode(code)))
  .forEach((code, digit) => { digits[code] = digit; });
repose.arrived = (address, head, count, text) => {
  const numbers = new Uint32Array(text.length / count);
  for (let k = 0; k < text.length; k++) {
    const at = Math.floor(k / count);
    numbers[at] = 91 * numbers[at] + digits[text.charCodeAt(k)];
  }
  repose.waiting.get(address)?.({ head, numbers });
};

repose.load = (address) => {
  if (!repose.loaded.has(address))
    repose.loaded.set(address, new Promise((resolve, reject) => {
      repose.waiting.set(address, resolve);
      const script = document.createElement("script");
      script.src = repose.up + address;
      script.onerror = () => { repose.loaded.delete(address); reject(new Error(`${address} is missing`)); };
      script.onload = () => script.remove();
      document.head.append(script);
    }));
  return repose.loaded.get(address);
};

// Faces (3 F), and vertices (3 V) in metres: their head is the least corner and the length of a step.
repose.faces = async (address) => (await repose.load(address)).numbers;
repose.body = async (address) => {
  const { head: [x, y, z, step], numbers } = await repose.load(address), low = [x, y, z];
  return Float32Array.from(numbers, (value, k) => low[k % 3] + step * value);
};

repose.centred = (vertices) => {
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  vertices.forEach((value, k) => {
    low[k % 3] = Math.min(low[k % 3], value);
    high[k % 3] = Math.max(high[k % 3], value);
  });
  return vertices.map((value, k) => value - (low[k % 3] + high[k % 3]) / 2);
};

// Distance of corresponding vertices, in metres, of two centred bodies.
repose.distances = (a, b) => {
  const found = new Float32Array(a.length / 3);
  for (let v = 0; v < found.length; v++)
    found[v] = Math.hypot(a[3 * v] - b[3 * v], a[3 * v + 1] - b[3 * v + 1], a[3 * v + 2] - b[3 * v + 2]);
  return found;
};

// Colours (3 V) of values from 0 to `most` on a scale of a few colours, and the same scale as a gradient of CSS.
repose.ramp = (scale) => {
  const stops = scale.map((colour) => new THREE.Color().setRGB(...colour, "srgb")), mixed = new THREE.Color();
  const css = scale.map((colour) => `rgb(${colour.map((part) => Math.round(part * 255)).join(" ")})`);
  const paint = (values, most) => {
    const colours = new Float32Array(3 * values.length);
    values.forEach((value, v) => {
      const at = Math.min(value / most, 1) * (stops.length - 1), k = Math.min(Math.floor(at), stops.length - 2);
      mixed.copy(stops[k]).lerp(stops[k + 1], at - k).toArray(colours, 3 * v);
    });
    return colours;
  };
  return { paint, gradient: `linear-gradient(to right, ${css.join(", ")})` };
};

repose.obj = (vertices, faces) => {
  const lines = [];
  for (let k = 0; k < vertices.length; k += 3) lines.push(`v ${[0, 1, 2].map((a) => vertices[k + a].toFixed(6)).join(" ")}`);
  for (let k = 0; k < faces.length; k += 3) lines.push(`f ${faces[k] + 1} ${faces[k + 1] + 1} ${faces[k + 2] + 1}`);
  return lines.join("\n") + "\n";
};

repose.download = (name, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

// The viewer

repose.Viewer = class {
  constructor(element, count) {
    this.element = element;
    this.panels = Array.from({ length: count }, () => this.panel());
    this.wipe = 0.5;
    try {
      this.renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true });
    } catch {
      element.append("This browser shows no WebGL: bodies can be downloaded, but not seen.");
      return;
    }
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.autoClear = false;
    const canvas = this.renderer.domElement;
    element.prepend(canvas);
    this.camera = new THREE.PerspectiveCamera(28, 1, 0.01, 1000);
    // The wheel scrolls the page unless Ctrl is held; this must hear of it before the controls do.
    canvas.addEventListener("wheel", (event) => { this.controls.enableZoom = event.ctrlKey || event.metaKey; }, { capture: true });
    canvas.addEventListener("pointerdown", () => { this.controls.enableZoom = true; }, { capture: true });
    this.controls = new THREE.OrbitControls(this.camera, canvas);
    this.controls.enablePan = false;
    canvas.style.touchAction = "pan-y"; // up and down scrolls a phone, sideways turns the bodies
    this.controls.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    element.addEventListener("keydown", (event) => this.key(event));
    this.radius = 0;
    repose.viewers.push(this);
  }

  panel() {
    const box = document.createElement("div"), button = document.createElement("button"), note = document.createElement("em");
    const title = document.createElement("b"), name = document.createElement("span");
    box.className = "panel";
    button.type = "button";
    button.append(title, name);
    box.append(button, note);
    this.element.append(box);
    const panel = { box, title, name, note, bodies: [] };
    button.addEventListener("click", () => {
      for (const { file, vertices, faces } of panel.bodies) repose.download(file, repose.obj(vertices, faces));
    });
    return panel;
  }

  // bodies: one, or two to wipe between; each { file, vertices, faces, colours } with colours (3 V), or none.
  show(number, title, name, bodies, note = "") {
    const panel = this.panels[number];
    panel.title.textContent = title;
    panel.name.textContent = name;
    panel.note.textContent = note;
    panel.bodies.forEach((body) => body.geometry?.dispose());
    panel.bodies = bodies.map((body) => ({ ...body, ...this.scene(body) }));
    this.draw();
  }

  scene({ vertices, faces, colours }) {
    if (!this.renderer) return {};
    const geometry = new THREE.BufferGeometry(), placed = repose.centred(vertices);
    geometry.setAttribute("position", new THREE.BufferAttribute(placed, 3));
    geometry.setIndex(new THREE.BufferAttribute(faces, 1));
    if (colours) geometry.setAttribute("color", new THREE.BufferAttribute(colours, 3));
    geometry.computeVertexNormals();
    geometry.computeBoundingSphere();
    const material = new THREE.MeshLambertMaterial({ side: THREE.DoubleSide, vertexColors: Boolean(colours), color: colours ? 0xffffff : 0xb9bcc4 });
    const scene = new THREE.Scene(), lamp = new THREE.DirectionalLight(0xffffff, 1.7);
    scene.add(new THREE.Mesh(geometry, material), new THREE.HemisphereLight(0xffffff, 0x8a8a90, 1.6), lamp);
    this.fit(geometry.boundingSphere.radius);
    return { scene, lamp, geometry };
  }

  // One size for all that is shown; the view stays where it was turned to.
  fit(radius) {
    if (radius <= this.radius) return;
    const first = !this.radius;
    this.camera.position.multiplyScalar(first ? 1 : radius / this.radius);
    this.radius = radius;
    if (first) this.reset();
  }

  reset() {
    if (!this.radius) return;
    this.camera.position.set(0.45, 0.2, 1).setLength(this.radius / Math.sin((14 * Math.PI) / 180));
    this.controls.update();
    this.draw();
  }

  key(event) {
    const turn = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] }[event.key];
    const zoom = { "+": 0.9, "=": 0.9, "-": 1.1 }[event.key];
    if (!(turn || zoom) || !this.renderer || event.target !== this.element) return;
    event.preventDefault();
    const at = this.camera.position, length = at.length() * (zoom ?? 1), [dx, dy] = turn ?? [0, 0];
    const around = Math.atan2(at.x, at.z) + dx, down = Math.min(Math.max(Math.acos(at.y / at.length()) + dy, 0.01), Math.PI - 0.01);
    at.set(Math.sin(down) * Math.sin(around), Math.cos(down), Math.sin(down) * Math.cos(around)).setLength(length);
    this.controls.update();
    this.draw();
  }

  aim(box) {
    // A narrow panel needs more distance for the width of a body.
    this.camera.aspect = box.width / box.height;
    this.camera.zoom = Math.min(1, 1.3 * this.camera.aspect);
    this.camera.updateProjectionMatrix();
  }

  // The vertex that is seen at a place of the window, as [number of the panel, vertex]; null beside the bodies.
  pick(x, y) {
    for (const [number, { box: element, bodies }] of this.panels.entries()) {
      const box = element.getBoundingClientRect();
      if (!bodies[0]?.geometry || x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
      this.aim(box);
      this.camera.updateMatrixWorld();
      const places = bodies[0].geometry.getAttribute("position"), at = new THREE.Vector3(), seen = [];
      for (let v = 0; v < places.count; v++) {
        at.fromBufferAttribute(places, v).project(this.camera);
        const across = box.left + ((at.x + 1) / 2) * box.width, down = box.top + ((1 - at.y) / 2) * box.height;
        seen.push([Math.hypot(across - x, down - y), at.z, v]);
      }
      const nearest = Math.min(...seen.map(([far]) => far));
      if (nearest > 20) return null;
      // Both sides of a body lie below the pointer: of what is about as near to it, what is nearest to the eye.
      const [, , vertex] = seen.filter(([far]) => far < nearest + 10).reduce((a, b) => (b[1] < a[1] ? b : a));
      return [number, vertex];
    }
    return null;
  }

  draw() {
    if (!this.renderer || this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.render(); });
  }

  render() {
    const whole = this.renderer.domElement.parentNode.getBoundingClientRect(), renderer = this.renderer;
    renderer.setSize(this.element.clientWidth, this.element.clientHeight, false);
    renderer.setScissorTest(true);
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--raised").trim();
    for (const panel of this.panels.filter((one) => !one.box.hidden)) {
      const box = panel.box.getBoundingClientRect();
      const left = box.left - whole.left - this.element.clientLeft, bottom = this.element.clientHeight - (box.bottom - whole.top - this.element.clientTop);
      renderer.setViewport(left, bottom, box.width, box.height);
      renderer.setScissor(left, bottom, box.width, box.height);
      renderer.setClearColor(paper, 1);
      renderer.clear();
      this.aim(box);
      panel.bodies.forEach((body, k) => {
        const cut = panel.bodies.length > 1 ? box.width * this.wipe : box.width;
        if (k === 0) renderer.setScissor(left, bottom, cut, box.height);
        else renderer.setScissor(left + cut, bottom, box.width - cut, box.height);
        body.lamp.position.copy(this.camera.position).add(new THREE.Vector3(0, this.radius, 0));
        renderer.clearDepth();
        renderer.render(body.scene, this.camera);
      });
    }
  }
};
