// Runs in the page around the reports, for a report has no script: looks at each frame as a reader's eye would.
"use strict";

const channels = (color) => (color.match(/[\d.]+/g) || []).map(Number);
const visible = (color) => channels(color).length === 3 || channels(color)[3] > 0;

function luminance(color) {
  const [r, g, b] = channels(color).slice(0, 3).map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ground(element, style) {
  for (let at = element; at; at = at.parentElement) {
    const color = style(at).backgroundColor;
    if (visible(color)) return color;
  }
  return "rgb(255, 255, 255)";
}

function lowest_contrast(frame) {
  const style = (element) => frame.contentWindow.getComputedStyle(element);
  const walker = frame.contentDocument.createTreeWalker(frame.contentDocument.body, NodeFilter.SHOW_TEXT);
  let worst = [99, ""];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length || element.closest("script")) continue;
    const drawn = element.closest("svg");
    if (drawn && element.classList.contains("inside")) continue;
    const ink = drawn ? style(element).fill : style(element).color;
    const pair = [luminance(ink), luminance(ground(drawn ? drawn.parentElement : element, style))].sort((a, b) => a - b);
    const ratio = (pair[1] + 0.05) / (pair[0] + 0.05);
    if (ratio < worst[0]) worst = [ratio, walker.currentNode.data.trim().slice(0, 60)];
  }
  return worst;
}

function words_outside(frame) {
  const outside = [];
  for (const drawing of frame.contentDocument.querySelectorAll("figure > svg")) {
    const edge = drawing.getBoundingClientRect();
    if (!edge.width) continue;
    for (const text of drawing.querySelectorAll(":scope > text")) {
      const box = text.getBoundingClientRect();
      if (box.right > edge.right + 1 || box.left < edge.left - 1) outside.push(text.textContent.trim());
    }
  }
  return outside;
}

function words_beyond_their_box(frame) {
  const beyond = [];
  for (const box of frame.contentDocument.querySelectorAll("figure > svg > rect.box")) {
    const edge = box.getBoundingClientRect();
    for (let text = box.nextElementSibling; text && text.matches("text") && edge.width; text = text.nextElementSibling) {
      const place = text.getBoundingClientRect();
      if (place.top < edge.bottom && place.right > edge.right) beyond.push(text.textContent.trim());
    }
  }
  return beyond;
}

function measured(frame) {
  const page = frame.contentDocument;
  return {
    name: frame.name,
    width: frame.width,
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    ground: luminance(frame.contentWindow.getComputedStyle(page.body).backgroundColor),
    contrast: lowest_contrast(frame),
    requests: frame.contentWindow.performance.getEntriesByType("resource").length,
    headings: page.querySelectorAll("h1").length,
    scripts: [...page.scripts].map((script) => script.type),
    embedded: page.getElementById("rtcdiag-report").textContent.length,
    outside: words_outside(frame),
    beyond: words_beyond_their_box(frame),
    sideways: [...page.querySelectorAll("#candidates .scroll")].filter((box) => box.scrollWidth > box.clientWidth).length,
    alerted: window.alerted || 0,
  };
}

window.addEventListener("load", () => {
  const result = [...document.querySelectorAll("iframe")].map(measured);
  document.body.replaceChildren();
  document.body.dataset.result = JSON.stringify(result);
});
