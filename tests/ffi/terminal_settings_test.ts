import { assert, assertEquals } from "@std/assert";
import { hiddenInput, termiosLayout } from "../../ffi/terminal_settings.ts";

// Where each header has c_lflag, ICANON|ECHO|ECHONL, VMIN and VTIME.
const TABLE = [
  ["linux", 60, 12, 0x2 | 0x8 | 0x40, 17 + 6, 17 + 5],
  ["darwin", 72, 24, 0x100 | 0x8 | 0x10, 32 + 16, 32 + 17],
  ["freebsd", 44, 12, 0x100 | 0x8 | 0x10, 16 + 16, 16 + 17],
] as const;

Deno.test("hiddenInput() changes its flags and VMIN and VTIME only", () => {
  for (const [os, size, flagsAt, flags, vmin, vtime] of TABLE) {
    const layout = termiosLayout(os);
    assert(layout !== undefined);
    assertEquals(layout.size, size);
    const settings = new Uint8Array(size).fill(0xff);
    const changed = hiddenInput(settings, layout);
    assertEquals(settings, new Uint8Array(size).fill(0xff), os);

    const expected = settings.slice();
    new DataView(expected.buffer).setUint32(flagsAt, ~flags, true);
    expected[vmin] = 1;
    expected[vtime] = 0;
    assertEquals(changed, expected, os);
  }
});

Deno.test("termiosLayout() knows no layout of Windows", () => {
  assertEquals(termiosLayout("windows"), undefined);
});
