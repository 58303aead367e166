// The view of a decision of security rules: the result, and each evaluated rule with the values that it used.

import { el } from "./dom.js";

export function decisionView({ allowed, operation, path, rules }) {
  const verdict = el("p", {}, `${operation} ${path}: `, el("strong", { className: allowed ? "good" : "bad" }, allowed ? "allowed" : "denied"));
  if (!rules.length) verdict.append(". No rule applies to this path, so it is denied.");
  return el("div", { className: "decision" }, verdict, rules.map(ruleView));
}

function ruleView({ name, line, at, text, result, error, values }) {
  const outcome = result === null ? "error" : String(result);
  return el("div", {},
    el("p", {}, `${name} (line ${line}) at ${at}: `, el("strong", { className: result ? "good" : "bad" }, outcome)),
    el("pre", {}, text, values.map(([expression, value]) => `\n  ${expression} = ${value}`), error ? `\n  ${error}` : null));
}
