"use strict";
// Words from the web go into text nodes only.
const find = (id) => document.getElementById(id);
let from = 0, total = 0, size = 50;

async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function showRun() {
  const run = await ask("/api/run");
  find("last").textContent = run.last ? `${run.last.name}: ${run.last.rows} rows, ${(run.last.bytes / 1e6).toFixed(1)} MB` : "no run yet";
  find("live").hidden = !run.live;
  if (!run.live) return;
  find("stages").replaceChildren(...run.live.stages.map(({ stage, counts }) => {
    const line = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = stage;
    line.append(head, ...["seen", "kept", "rejected", "failed"].map((key) => {
      const cell = document.createElement("td");
      cell.textContent = counts[key];
      return cell;
    }));
    return line;
  }));
}

async function showRows() {
  const page = await ask(`/api/rows?from=${from}`);
  total = page.total;
  find("place").textContent = total ? `${from + 1} to ${from + page.rows.length} of ${total}` : "no rows";
  find("back").disabled = from === 0;
  find("on").disabled = from + size >= total;
  find("rows").replaceChildren(...page.rows.map((row) => {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    const url = document.createElement("small");
    button.type = "button";
    button.dataset.id = row.id;
    button.textContent = row.title || row.url;
    url.textContent = `${row.url} · ${row.split} · ${row.lang || "unknown"} · ${row.quality === null ? "no score" : row.quality.toFixed(3)}`;
    button.append(url);
    button.addEventListener("click", () => showRow(row));
    entry.append(button);
    return entry;
  }));
}

async function showRow(row) {
  for (const button of document.querySelectorAll("#rows button")) {
    if (button.dataset.id === row.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  location.hash = row.id;
  const [whole, html] = await Promise.all([ask(`/row/${row.id}.json`), fetch(`/row/${row.id}.html`).then((answer) => answer.arrayBuffer())]);
  find("row-title").textContent = whole.title || whole.url;
  find("facts").textContent = `${whole.scale[0]} × ${whole.scale[1]} px, ${whole.nodes.length} elements, ${html.byteLength} bytes of code`;
  find("code").textContent = "";
  const image = find("image");
  image.src = `/row/${row.id}.picture`;
  image.alt = `Screenshot of ${whole.title || whole.url}`;
  image.hidden = false;
  const [width, height] = [whole.scale[0] / whole.device_scale_factor, whole.scale[1] / whole.device_scale_factor];
  const words = new TextDecoder();
  const seen = whole.nodes.filter((node) => node.visible && node.start !== null && node.y < height);
  find("picture").replaceChildren(image, ...seen.map((node) => {
    const box = document.createElement("button");
    box.type = "button";
    box.className = "box";
    box.setAttribute("aria-label", `${node.tag} ${node.role || ""} ${node.name}`);
    box.style.left = `${100 * node.x / width}%`;
    box.style.top = `${100 * node.y / height}%`;
    box.style.width = `${100 * node.w / width}%`;
    box.style.height = `${100 * node.h / height}%`;
    const show = (event) => {
      event.stopPropagation();
      find("code").textContent = words.decode(html.slice(node.start, node.end));
    };
    box.addEventListener("mouseover", show);
    box.addEventListener("focus", show);
    return box;
  }));
}

find("back").addEventListener("click", () => { from = Math.max(0, from - size); showRows(); });
find("on").addEventListener("click", () => { from += size; showRows(); });
find("boxes").addEventListener("change", (event) => find("picture").classList.toggle("bare", !event.target.checked));
const wanted = location.hash.slice(1);
showRun();
setInterval(showRun, 2000);
showRows().then(() => { if (/^[0-9a-f]{32}$/.test(wanted)) showRow({ id: wanted }); });
