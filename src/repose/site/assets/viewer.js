// Bodies side by side under one camera. Meshes are scripts that call `repose.arrived`, and are loaded when they are seen.
"use strict";

const repose = { viewers: [], shownBy: {} };

// Loading

repose.up = document.body.dataset.up;
repose.waiting = new Map(); // address → what is told when it is there
repose.loaded = new Map(); // address → promise of an ArrayBuffer
repose.index = (shown) => { repose.shownBy = shown; };

repose.arrived = (address, text) => {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  repose.waiting.get(address)?.(bytes.buffer);
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

// Faces (3 F) and vertices (3 V) in metres: least corner, length of a step, then steps of 16 bits.
repose.faces = async (address) => new Uint32Array(await repose.load(address));
repose.body = async (address) => {
  const buffer = await repose.load(address), [x, y, z, step] = new Float32Array(buffer, 0, 4), low = [x, y, z];
  return Float32Array.from(new Uint16Array(buffer, 16), (value, k) => low[k % 3] + step * value);
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

  draw() {
    if (!this.renderer || this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.render(); });
  }

  render() {
    const whole = this.renderer.domElement.parentNode.getBoundingClientRect(), renderer = this.renderer;
    renderer.setSize(this.element.clientWidth, this.element.clientHeight, false);
    renderer.setScissorTest(true);
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--raised").trim();
    for (const panel of this.panels) {
      const box = panel.box.getBoundingClientRect();
      const left = box.left - whole.left - this.element.clientLeft, bottom = this.element.clientHeight - (box.bottom - whole.top - this.element.clientTop);
      renderer.setViewport(left, bottom, box.width, box.height);
      renderer.setScissor(left, bottom, box.width, box.height);
      renderer.setClearColor(paper, 1);
      renderer.clear();
      // A narrow panel needs more distance for the width of a body.
      this.camera.aspect = box.width / box.height;
      this.camera.zoom = Math.min(1, 1.3 * this.camera.aspect);
      this.camera.updateProjectionMatrix();
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

// Sample bodies on the page of a dataset

if (document.getElementById("viewer") && !document.getElementById("browse")) {
  const data = JSON.parse(document.getElementById("data").textContent), element = document.getElementById("viewer");
  element.classList.add("many");
  const viewer = new repose.Viewer(element, data.bodies.length);
  data.bodies.forEach(async ([name, address], number) => {
    const [vertices, faces] = await Promise.all([repose.body(address), repose.faces(data.faces)]);
    viewer.show(number, "", name, [{ file: `${name}.obj`, vertices, faces }]);
  });
}
