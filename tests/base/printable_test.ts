import { assertEquals } from "@std/assert";
import { printable } from "../../src/base/printable.ts";

Deno.test("printable() leaves text alone", () => {
  for (
    const text of [
      "",
      "my-registry",
      "sparse+https://example.com/index/?a=[1]",
      "Grüße, 注册表, e\u0301",
      "a\u00a0b",
    ]
  ) {
    assertEquals(printable(text), text);
  }
});

Deno.test("printable() strips what acts on a terminal", () => {
  const table: readonly (readonly [string, string])[] = [
    ["\x1b[31mred\x1b[0m", "red"],
    ["\x1b[2J\x1b[1;1Hcleared", "cleared"],
    ["\x9b31mred", "red"],
    ["\x1b[?25lhidden cursor", "hidden cursor"],
    ["\x1b[38:2::255:0:0mcolour", "colour"],
    ["a\x07b\x00c\x7fd", "abcd"],
    ["\x1b]0;title\x07rest", "]0;titlerest"],
    [
      "\x1b]8;;https://evil.example\x1b\\link",
      "]8;;https://evil.example\\link",
    ],
    ["a\rb", "a b"],
    ["a\r\nb\tc", "a b c"],
    ["a\u2028b\u2029c\u0085d", "a b c d"],
    ["line\n[section]", "line [section]"],
    ["safe\u202etxt.exe", "safetxt.exe"],
    ["\u2066a\u2069\u200e\u200f\u061c", "a"],
    ["zero\u200bwidth\ufeff\u2060", "zerowidth"],
    ["tag\u{e0041}\u{e007f}", "tag"],
    ["half \ud800 a character", "half  a character"],
    ["\x1b\x1b[31m[31mtwice", "[31mtwice"],
    ["\x1b[\x1b[31m1mnested", "[1mnested"],
  ];
  for (const [text, expected] of table) {
    assertEquals(printable(text), expected, JSON.stringify(text));
    assertEquals(printable(expected), expected, JSON.stringify(expected));
  }
});

Deno.test("printable() keeps our words behind a sequence that never ends", () => {
  const words = " was not moved";
  for (const start of ["\x1b]0;", "\x1bP", "\x1b_", "\x1b^", "\x9d", "\x90"]) {
    assertEquals(printable(start + words).endsWith(words), true);
  }
});
