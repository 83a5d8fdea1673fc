import { assertEquals } from "@std/assert";
import { LineBuffer, type LineState } from "../../src/terminal/line_buffer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

Deno.test("LineBuffer.feed() edits as a terminal does", () => {
  const table: readonly (readonly [string, LineState, string])[] = [
    ["abc", "more", "abc"],
    ["abc\n", "line", "abc"],
    ["abc\r", "line", "abc"],
    ["abc\rdef", "line", "abc"],
    ["\n", "line", ""],
    ["abd\x7fc\n", "line", "abc"],
    ["abd\x08c\n", "line", "abc"],
    ["\x7f\x7fa\n", "line", "a"],
    ["aé\x7fb\n", "line", "ab"],
    ["a\u{1f511}\x7fb\n", "line", "ab"],
    ["wrong\x15right\n", "line", "right"],
    ["one two  \x17three\n", "line", "one three"],
    ["one\x17\n", "line", ""],
    ["\x04", "end-of-input", ""],
    ["a\x7f\x04", "end-of-input", ""],
    ["a\x04b\n", "line", "ab"],
    ["a\x03", "interrupted", "a"],
  ];
  for (const [typed, state, line] of table) {
    const buffer = new LineBuffer();
    const name = JSON.stringify(typed);
    assertEquals(buffer.feed(encoder.encode(typed)), state, name);
    assertEquals(decoder.decode(buffer.take()), line, name);
  }
});

Deno.test("LineBuffer takes lines of any length, in any pieces", () => {
  const text = "0123456789é".repeat(1000);
  for (const size of [1, 7, 1000, 100_000]) {
    const buffer = new LineBuffer();
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length; at += size) {
      assertEquals(buffer.feed(bytes.subarray(at, at + size)), "more");
    }
    assertEquals(buffer.feed(encoder.encode("\n")), "line");
    assertEquals(decoder.decode(buffer.take()), text);
  }
});

Deno.test("LineBuffer.take() and wipe() forget the line", () => {
  const buffer = new LineBuffer();
  buffer.feed(encoder.encode("abc"));
  buffer.take();
  assertEquals(buffer.take().length, 0);
  buffer.feed(encoder.encode("abc"));
  buffer.wipe();
  assertEquals(buffer.take().length, 0);
});
