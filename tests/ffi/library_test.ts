import { assertEquals, assertThrows } from "@std/assert";
import {
  type GnomeLibrary,
  LibraryError,
  libraryNames,
  openLibrary,
} from "../../ffi/_library.ts";

const CASES: readonly [GnomeLibrary, os: string, names: readonly string[]][] = [
  ["secret-1", "linux", ["libsecret-1.so.0"]],
  ["glib-2.0", "linux", ["libglib-2.0.so.0"]],
  ["gobject-2.0", "linux", ["libgobject-2.0.so.0"]],
  ["gio-2.0", "linux", ["libgio-2.0.so.0"]],
  ["secret-1", "freebsd", ["libsecret-1.so.0", "libsecret-1.so"]],
  ["gio-2.0", "netbsd", ["libgio-2.0.so.0", "libgio-2.0.so"]],
  ["secret-1", "openbsd", ["libsecret-1.so"]],
  ["secret-1", "windows", []],
  ["secret-1", "darwin", []],
];

for (const [library, os, names] of CASES) {
  Deno.test(`libraryNames() has ${names.length} for ${library} on ${os}`, () => {
    assertEquals(libraryNames(library, os), names);
  });
}

Deno.test("libraryNames() gives bare names, so that no folder is searched", () => {
  for (const [library, os] of CASES) {
    for (const name of libraryNames(library, os)) {
      assertEquals(name.includes("/"), false);
    }
  }
});

Deno.test("openLibrary() throws LibraryError where a function is missing", () => {
  const error = assertThrows(
    () =>
      openLibrary("glib-2.0", {
        g_no_such_function: { parameters: [], result: "void" },
      }),
    LibraryError,
  );
  assertEquals(error.library, "libglib-2.0");
});
