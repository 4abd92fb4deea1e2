// Runs in the page around the reports: holds each frame against axe's rules, everything folded opened before.
"use strict";

// Colors are the only thing that depends on the theme: in the dark, nothing else is looked at again.
const RULES = { resultTypes: ["violations"], iframes: false, preload: false };
const COLORS = { ...RULES, runOnly: ["color-contrast", "link-in-text-block"] };
const dark = () => window.matchMedia("(prefers-color-scheme: dark)").matches;

function told(rule) {
  return rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary || node.html}`.slice(0, 600));
}

async function judged(frame, source) {
  frame.contentWindow.eval(source);
  for (const folded of frame.contentDocument.querySelectorAll("details")) folded.open = true;
  const { violations, passes } = await frame.contentWindow.axe.run(frame.contentDocument, dark() ? COLORS : RULES);
  return { name: frame.name, width: frame.width, passes: passes.length, violations: violations.flatMap(told) };
}

window.addEventListener("load", async () => {
  const source = document.getElementById("axe").textContent;
  const result = [];
  for (const frame of document.querySelectorAll("iframe")) result.push(await judged(frame, source));
  document.body.replaceChildren();
  document.body.dataset.result = JSON.stringify(result);
});
