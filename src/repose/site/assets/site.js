// Tables that sort, filter and copy; numbers that open what they were made from.
"use strict";

const element = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text; // never as markup: names are of others
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};
const repose = { up: document.body.dataset.up };
const pageData = () => JSON.parse(document.getElementById("data")?.textContent ?? "null");

// Sorting: numbers by value, texts by alphabet, what is missing last.
function sortBy(table, head) {
  const heads = [...head.parentNode.children], column = heads.indexOf(head);
  const down = head.getAttribute("aria-sort") === "ascending";
  heads.forEach((one) => one.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === "" || y === "") return (x === "") - (y === "");
    const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}

document.addEventListener("click", (event) => {
  const head = event.target.closest("table.results thead th");
  if (head && event.target.closest("button")) sortBy(head.closest("table"), head);
  for (const menu of document.querySelectorAll("nav details[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("nav details[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// The tables of results
function resultsPage(data) {
  const table = document.getElementById("results"), tools = document.getElementById("tools");
  const rows = [...table.tBodies[0].rows];

  const filter = () => {
    for (const row of rows) {
      const wanted = (key) => !tools[key].value || row.dataset[key] === tools[key].value;
      row.hidden = !wanted("dataset") || !wanted("protocol") || (!tools.baselines.checked && row.dataset.role !== "method");
    }
  };
  tools.addEventListener("change", filter);
  filter(); // a browser may remember what was chosen before

  tools.addEventListener("click", (event) => {
    const form = event.target.dataset.copy;
    if (!form) return;
    const seen = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const text = form === "Markdown" ? markdown(table, seen) : (form === "CSV" ? csv : latex)(data, seen);
    offer(text, `${data.table}: ${seen.length} rows as ${form}, as sorted and filtered here.`);
  });
  table.addEventListener("click", (event) => {
    const value = event.target.closest("button.value");
    if (value) openLineage(data, data.rows[value.closest("tr").dataset.row], value.dataset.column, value.textContent);
  });
}

function offer(text, what) {
  const dialog = document.getElementById("copied"), area = document.getElementById("copied-text");
  document.getElementById("copied-what").textContent = what;
  area.value = text;
  dialog.showModal();
  area.select();
  navigator.clipboard?.writeText(text).then(
    () => { document.getElementById("copied-what").textContent = `${what} It is in the clipboard.`; },
    () => {}, // some browsers lend no clipboard to pages from disk: the text is selected
  );
}

const csvCell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (data, rows) =>
  [data.columns, ...rows.map((row) => data.columns.map((name) => data.rows[row.dataset.row].cells[name]))]
    .map((cells) => cells.map(csvCell).join(",")).join("\n") + "\n";

// What a cell shows; of a method's only its name.
const shown = (cell) => (cell.querySelector("a") ?? cell).textContent.trim().replace(/\s+/g, " ");
const headings = (table) => [...table.tHead.rows[0].cells].map((cell) => cell.querySelector("button").textContent);

function markdown(table, rows) {
  const safe = (text) => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");
  const line = (cells) => `| ${cells.map(safe).join(" | ")} |`;
  const rule = [...table.tHead.rows[0].cells].map((cell) => (cell.classList.contains("number") ? "---:" : "---"));
  return [line(headings(table)), `|${rule.join("|")}|`, ...rows.map((row) => line([...row.cells].map(shown)))].join("\n") + "\n";
}

// The lines of results/<table>.tex, of the rows that are seen.
const latex = ({ latex: { head, rows, foot } }, seen) => [head, ...seen.map((row) => rows[row.dataset.row]), foot].join("\n");

// Where a number came from
function openLineage(data, row, column, text) {
  const dialog = document.getElementById("lineage");
  const run = [row.cells.dataset, row.cells.method, row.cells.protocol].join(" · ");
  document.getElementById("lineage-title").textContent = run;
  document.getElementById("lineage-value").textContent = `${column} = ${row.cells[column]} (shown as ${text.trim()})`;
  const commands = document.getElementById("lineage-commands");
  commands.replaceChildren();
  for (const [what, line] of row.commands) {
    const told = element("dd");
    told.append(element("code", line));
    commands.append(element("dt", what), told);
  }
  const tree = element("ul", undefined, { class: "tree" });
  const seen = new Set([data.root]);
  const parents = row.branches.filter((name) => name in data.inputs).map((name) => [name, data.inputs[name]]);
  tree.append(branch(data.nodes, "", data.root, seen, parents));
  document.getElementById("lineage-tree").replaceChildren(tree);
  dialog.showModal();
  dialog.scrollTop = 0;
}

function branch(nodes, input, place, seen, parents = Object.entries(nodes[place].from)) {
  const node = nodes[place], item = element("li");
  item.append(element("span", input ? `${input.split(":")[0]}: ` : "", { class: "quiet" }), element("b", node.title ?? place));
  if (node.sha256) {
    const seed = node.seed === null ? "" : `, seed ${node.seed}`;
    item.append(
      element("div", `sha256 ${node.sha256.slice(0, 16)}, ${node.bytes.toLocaleString("en")} bytes, code ${node.code}${seed}`, { class: "quiet" }),
      element("div", `stage ${node.stage}, ${node.started}, ${node.cost}`, { class: "quiet" }),
    );
  }
  for (const fault of node.faults) item.append(element("div", `✗ ${fault}`, { class: "fault" }));
  const list = element("ul"), above = [];
  for (const [name, parent] of parents) {
    if (seen.has(parent)) above.push(nodes[parent].title ?? parent);
    else { seen.add(parent); list.append(branch(nodes, name, parent, seen)); }
  }
  if (above.length) list.append(element("li", `shown above: ${above.join(", ")}`, { class: "quiet" }));
  if (list.children.length) item.append(list);
  return item;
}

if (document.getElementById("results")) resultsPage(pageData());
