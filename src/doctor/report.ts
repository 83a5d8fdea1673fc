import { bold, cyan, green, red, yellow } from "@std/fmt/colors";
import { printable } from "../base/printable.ts";
import type { StoreView } from "../tokens/inventory.ts";
import { storeJson } from "../cli/status_report.ts";
import type { Cell } from "../terminal/columns.ts";
import type { Finding, Severity } from "./findings.ts";

const TITLES: Readonly<
  Record<Severity, readonly [string, (text: string) => string]>
> = {
  serious: ["Serious", red],
  warning: ["Warning", yellow],
  note: ["Note", cyan],
};

/** The findings for people: what, why and what to do, in lines of their own. */
export function doctorRows(
  findings: readonly Finding[],
): (readonly Cell[])[] {
  if (findings.length === 0) {
    return [[{ text: "Fine", style: green }, "nothing is wrong"]];
  }
  return findings.flatMap(
    ({ severity, what, why, fix }, i): (readonly Cell[])[] => {
      const [title, style] = TITLES[severity];
      return [
        ...(i === 0 ? [] : [[""]]),
        [{ text: title, style }, { text: what, style: bold }],
        ["Why", why],
        ["Fix", fix],
      ];
    },
  );
}

/** The report as an object whose keys docs/json.md describes. */
export function doctorJson(
  findings: readonly Finding[],
  store: StoreView | undefined,
): unknown {
  return {
    store: store === undefined ? null : storeJson(store),
    findings: findingsJson(findings),
  };
}

/** The findings alone. */
export function findingsJson(findings: readonly Finding[]): readonly unknown[] {
  return findings.map(({ what, why, fix, ...finding }) => ({
    code: finding.code,
    severity: finding.severity,
    registries: finding.registries ?? [],
    what: printable(what),
    why: printable(why),
    fix: printable(fix),
  }));
}
