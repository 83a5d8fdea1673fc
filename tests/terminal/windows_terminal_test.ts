import { assertEquals } from "@std/assert";
import { typedUnits } from "../../ffi/windows_console.ts";
import { KeyDecoder, redraw } from "../../src/terminal/windows_terminal.ts";
import { onWindows } from "../support/windows.ts";

/** A field of an `INPUT_RECORD`; a key that is pressed once if left out. */
interface Key {
  readonly event?: number;
  readonly down?: boolean;
  readonly times?: number;
  readonly key?: number;
  readonly char?: string;
}

function record(
  { event = 1, down = true, times = 1, key = 0x41, char = "\0" }: Key,
): number[] {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, event, true);
  view.setUint32(4, down ? 1 : 0, true);
  view.setUint16(8, times, true);
  view.setUint16(10, key, true);
  view.setUint16(14, char.charCodeAt(0), true);
  return [...bytes];
}

function typed(...keys: readonly Key[]): string {
  const records = new Uint8Array(keys.flatMap(record));
  return String.fromCharCode(...typedUnits(records));
}

Deno.test("typedUnits() takes the keys that make a character", () => {
  const table: readonly (readonly [readonly Key[], string])[] = [
    [[], ""],
    [[{ char: "a" }], "a"],
    [[{ char: "a" }, { char: "a", down: false }, { char: "b" }], "ab"],
    [[{ char: "x", times: 3 }], "xxx"],
    [[{ char: "\r", key: 0x0d }], "\r"],
    [[{ key: 0x10 }, { key: 0x25 }], ""], // Shift, an arrow
    [[{ key: 0x12, down: false, char: "\u20ac" }], "\u20ac"], // Alt+0128
    [[{ key: 0x12, down: false }], ""],
    [[{ event: 2, char: "m" }], ""], // the mouse
    [[{ event: 16, char: "f" }, { char: "a" }], "a"], // the focus
    [[{ char: "\ud83e" }, { char: "\udd80" }], "\u{1f980}"],
  ];
  for (const [keys, text] of table) assertEquals(typed(...keys), text);
});

Deno.test("typedUnits() passes over half a record", () => {
  const records = new Uint8Array([...record({ char: "a" }), 1, 0, 0, 0, 1]);
  assertEquals([...typedUnits(records)], [0x61]);
});

function units(text: string): Uint16Array {
  return Uint16Array.from(
    { length: text.length },
    (_, i) => text.charCodeAt(i),
  );
}

function decodeInPieces(text: string, size: number): string {
  const decoder = new KeyDecoder();
  let bytes: number[] = [];
  for (let i = 0; i < text.length; i += size) {
    const piece = units(text.slice(i, i + size));
    bytes = [...bytes, ...decoder.decode(piece)];
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

Deno.test("KeyDecoder makes UTF-8 of any pieces, as TextEncoder does", () => {
  for (
    const text of [
      "",
      "abc",
      "\u007f\u0080\u07ff\u0800\uffff",
      "\u{1f980}\u{10ffff}\u{10000}",
      "a\u{1f980}b\u00e4",
      "a\ud800b",
      "\udc00\ud800\ud800\udc00x",
    ]
  ) {
    const expected = new TextDecoder().decode(new TextEncoder().encode(text));
    for (const size of [1, 2, 3, 100]) {
      assertEquals(decodeInPieces(text, size), expected, `${text} by ${size}`);
    }
  }
});

Deno.test("KeyDecoder leaves no copy of what was typed", () => {
  const typed = units("secret");
  const bytes = new KeyDecoder().decode(typed);
  assertEquals(bytes.buffer.byteLength, 6);
});

Deno.test("redraw() writes what has changed", () => {
  const table = [
    ["", "", ""],
    ["", "y", "y"],
    ["y", "yes", "es"],
    ["yes", "ye", "\b \b"],
    ["yes", "", "\b\b\b   \b\b\b"],
    ["yex", "yes", "\b \bs"],
  ] as const;
  for (const [shown, line, expected] of table) {
    assertEquals(redraw(shown, line), expected, `${shown} to ${line}`);
  }
});

onWindows(
  "WindowsTerminal has nobody to ask where there is no console",
  async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--no-config",
        "--frozen",
        "--no-prompt",
        "--allow-ffi",
        new URL("windows_prompt_child.ts", import.meta.url).href,
        '{"limit":3000}',
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      // DETACHED_PROCESS: without the console of the tests.
      detached: true,
    }).output();
    assertEquals(
      [new TextDecoder().decode(stderr), code],
      ["canAsk: false\noutcome: no-terminal\n", 0],
    );
  },
);
