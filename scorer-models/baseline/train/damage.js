// Damages a page that is already laid out, and takes the damage back.
//
// Loaded once per page; every kind is a function of (severity 1..3, random). Each change goes through `put`, `drop` or
// `sheets`, which remember what was there, so `restore()` gives the original back without loading the page again.
(() => {
  const undo = [];
  const TOP_PX = 2560; // what the model sees of a page

  /** mulberry32: the same seed damages the same elements everywhere. */
  const generator = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  const put = (element, styles) => {
    const before = element.getAttribute("style");
    undo.push(() => (before === null ? element.removeAttribute("style") : element.setAttribute("style", before)));
    for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value, "important");
  };

  const attribute = (element, name, value) => {
    const before = element.getAttribute(name);
    if (before === null && value === null) return;
    undo.push(() => (before === null ? element.removeAttribute(name) : element.setAttribute(name, before)));
    value === null ? element.removeAttribute(name) : element.setAttribute(name, value);
  };

  const rulesOf = (sheet) => {
    try { return sheet.cssRules; } catch { return []; } // another origin's sheet
  };

  const sheets = () =>
    [...document.styleSheets]
      .filter((sheet) => !sheet.disabled && rulesOf(sheet).length > 0)
      .sort((a, b) => rulesOf(b).length - rulesOf(a).length);

  const disable = (sheet) => {
    sheet.disabled = true;
    undo.push(() => { sheet.disabled = false; });
  };

  const visible = (element) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return box.width >= 16 && box.height >= 8 && box.top + scrollY < TOP_PX && box.bottom + scrollY > 0
      && style.visibility === "visible" && style.opacity > 0.1;
  };

  const elements = () => [...document.body.querySelectorAll("*")].filter(visible);
  const hasText = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim().length > 1);
  const texts = () => elements().filter(hasText);
  const isPart = (element) => {
    const box = element.getBoundingClientRect();
    const area = box.width * box.height;
    return area > 1500 && area < 1280 * 900 && getComputedStyle(element).display !== "inline";
  };
  const parts = () => elements().filter(isPart);

  /** A share of the list, at least `least` of it, in document order. */
  const some = (list, share, random, least = 2) => {
    const chosen = list.filter(() => random() < share);
    while (chosen.length < Math.min(least, list.length)) chosen.push(list[Math.floor(random() * list.length)]);
    return chosen;
  };
  const between = (random, low, high) => low + (high - low) * random();
  const sign = (random) => (random() < 0.5 ? -1 : 1);
  const colour = (random) => `hsl(${Math.floor(random() * 360)} ${Math.floor(between(random, 40, 100))}% ${Math.floor(between(random, 25, 85))}%)`;

  const parse = (css) => (css.match(/[\d.]+/g) || []).map(Number);
  const backdrop = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a > 0.5) return [r, g, b];
    }
    return [255, 255, 255];
  };

  const height = () => Math.max(document.documentElement.scrollHeight, document.body ? document.body.scrollHeight : 0);

  const KINDS = {
    spacing(severity, random) {
      for (const part of some(parts(), 0.12 + 0.1 * severity, random))
        put(part, { [random() < 0.5 ? "margin" : "padding"]: `${Math.round(between(random, 0, 22 * severity))}px ${Math.round(between(random, 0, 22 * severity))}px` });
    },
    alignment(severity, random) {
      for (const part of some(parts(), 0.12 + 0.1 * severity, random))
        put(part, { position: "relative", left: `${Math.round(sign(random) * between(random, 10, 25) * severity)}px`, top: `${Math.round(sign(random) * between(random, 0, 8) * severity)}px` });
    },
    contrast(severity, random) {
      for (const text of some(texts(), 0.3 + 0.2 * severity, random)) {
        const [r, g, b] = parse(getComputedStyle(text).color);
        const behind = backdrop(text);
        const fade = 0.6 + 0.1 * severity;
        put(text, { color: `rgb(${[r, g, b].map((c, i) => Math.round(c + (behind[i] - c) * fade)).join(",")})`, "text-shadow": "none" });
      }
    },
    "colour-noise"(severity, random) {
      for (const part of some(parts(), 0.06 + 0.08 * severity, random)) put(part, { background: colour(random) });
      for (const text of some(texts(), 0.1 * severity, random)) put(text, { color: colour(random) });
    },
    "font-sizes"(severity, random) {
      for (const text of some(texts(), 0.15 + 0.15 * severity, random)) {
        const size = parseFloat(getComputedStyle(text).fontSize);
        const factor = random() < 0.6 ? between(random, 1.3, 1.3 + 0.5 * severity) : between(random, 0.85 - 0.15 * severity, 0.8);
        put(text, { "font-size": `${(size * factor).toFixed(1)}px` });
      }
    },
    overflow(severity, random) {
      for (const part of some(parts(), 0.06 + 0.07 * severity, random)) {
        const box = part.getBoundingClientRect();
        if (random() < 0.5) put(part, { width: `${Math.round(box.width * between(random, 1.2, 1.3 + 0.3 * severity))}px`, "max-width": "none", "white-space": "nowrap" });
        else put(part, { height: `${Math.round(box.height * between(random, 0.75 - 0.17 * severity, 0.75))}px`, "min-height": "0", overflow: "visible" });
      }
    },
    overlap(severity, random) {
      for (const part of some(parts(), 0.06 + 0.06 * severity, random))
        put(part, random() < 0.5
          ? { "margin-top": `${-Math.round(between(random, 20, 40) * severity)}px` }
          : { position: "relative", top: `${Math.round(sign(random) * between(random, 20, 45) * severity)}px` });
    },
    "removed-sheet"(severity) {
      // The smaller sheets at severity 1, the largest at 2, the two largest at 3.
      const all = sheets();
      const chosen = severity === 1 ? all.slice(1, 3) : all.slice(0, severity - 1);
      (chosen.length ? chosen : all.slice(0, 1)).forEach(disable);
    },
    "dropped-rules"(severity, random) {
      for (const sheet of sheets())
        for (let i = sheet.cssRules.length - 1; i >= 0; i--) {
          const rule = sheet.cssRules[i];
          if (!(rule instanceof CSSStyleRule) || random() >= 0.12 + 0.13 * severity) continue;
          const text = rule.cssText;
          sheet.deleteRule(i);
          undo.push(() => sheet.insertRule(text, i));
        }
    },
    "removed-elements"(severity, random) {
      const gone = random() < 0.6 ? { visibility: "hidden" } : { display: "none" };
      for (const part of some(parts(), 0.06 + 0.08 * severity, random)) put(part, gone);
    },
    shrink(severity) {
      if (severity === 1) put(document.body, { width: "62%", "min-width": "0" });
      else put(document.documentElement, { zoom: severity === 2 ? "0.6" : "0.4", width: severity === 2 ? "60%" : "45%" });
    },

    // What a crawl really contains beside pages.
    unstyled() {
      [...document.styleSheets].filter((sheet) => !sheet.disabled).forEach(disable);
      for (const element of document.querySelectorAll("[style]")) attribute(element, "style", null);
      for (const name of ["bgcolor", "background", "width", "align"])
        for (const element of document.querySelectorAll(`[${name}]`)) attribute(element, name, null);
    },
    broken() {
      for (const image of document.querySelectorAll("img")) {
        attribute(image, "srcset", null);
        attribute(image, "src", "broken:");
      }
      for (const element of document.querySelectorAll("*"))
        if (getComputedStyle(element).backgroundImage.includes("url(")) put(element, { "background-image": "none" });
    },
    blank(severity, random) {
      // A shell whose scripts never filled it: at most a bar or a spinner's place is left.
      const tops = [...document.body.children];
      tops.forEach((child, i) => put(child, i === 0 && random() < 0.4 ? { height: "64px", overflow: "hidden" } : { display: "none" }));
    },
    wall(severity, random, { html }) {
      const holder = document.createElement("div");
      holder.innerHTML = html;
      holder.firstElementChild.style.height = `${height()}px`; // a veil longer than the page would give it away
      document.body.append(holder);
      undo.push(() => holder.remove());
    },
  };

  window.__damage = {
    apply: (kind, severity, seed, extra) => KINDS[kind](severity, generator(seed), extra || {}),
    restore: () => { while (undo.length) undo.pop()(); },
    facts: () => ({
      height: height(),
      rules: sheets().reduce((sum, sheet) => sum + sheet.cssRules.length, 0),
      texts: texts().length,
      parts: parts().length,
      images: [...document.images].filter(visible).length,
    }),
  };
})();
