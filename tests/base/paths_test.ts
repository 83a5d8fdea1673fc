import { assertEquals } from "@std/assert";
import {
  baseName,
  foldersAbove,
  isAbsolutePath,
  joinPath,
  parentPath,
  type PathStyle,
  resolvePath,
} from "../../src/base/paths.ts";

const RESOLVED: [style: PathStyle, from: string, path: string, to: string][] = [
  ["unix", "/a/b", "c", "/a/b/c"],
  ["unix", "/a/b", "../c/./d", "/a/c/d"],
  ["unix", "/a/b", "/c/", "/c"],
  ["unix", "/", "../..", "/"],
  ["windows", "C:\\a", "b/c", "C:\\a\\b\\c"],
  ["windows", "C:\\a", "..\\..", "C:\\"],
  ["windows", "C:\\a", "D:/b", "D:/b"],
  ["windows", "\\\\server\\share\\a", "..\\..", "\\\\server\\share\\"],
];

for (const [style, from, path, to] of RESOLVED) {
  Deno.test(`resolvePath() follows ${path} from ${from} to ${to}`, () => {
    assertEquals(resolvePath(from, path, style), to);
  });
}

Deno.test("parentPath() stops at a root", () => {
  assertEquals(parentPath("/a/b", "unix"), "/a");
  assertEquals(parentPath("/a", "unix"), "/");
  assertEquals(parentPath("/", "unix"), "/");
  assertEquals(parentPath("C:\\a", "windows"), "C:\\");
  assertEquals(parentPath("C:\\", "windows"), "C:\\");
});

Deno.test("foldersAbove() names every folder, the nearest first", () => {
  assertEquals(foldersAbove("/a/b/c", "unix"), ["/a/b", "/a", "/"]);
  assertEquals(foldersAbove("/a", "unix"), ["/"]);
  assertEquals(foldersAbove("C:\\a\\b", "windows"), ["C:\\a", "C:\\"]);
  assertEquals(foldersAbove("C:\\", "windows"), []);
});

Deno.test("joinPath() keeps what it joins as it is", () => {
  assertEquals(joinPath("/a/../b", "c/../d", "unix"), "/a/../b/c/../d");
  assertEquals(joinPath("/", "a", "unix"), "/a");
  assertEquals(joinPath("C:\\", "a", "windows"), "C:\\a");
});

Deno.test("baseName() gives the last part", () => {
  assertEquals(baseName("/a/b.exe", "unix"), "b.exe");
  assertEquals(baseName("b", "unix"), "b");
  assertEquals(baseName("a\\b", "unix"), "a\\b");
  assertEquals(baseName("C:\\a/b\\c.exe", "windows"), "c.exe");
});

Deno.test("isAbsolutePath() takes no drive's current directory for absolute", () => {
  assertEquals(isAbsolutePath("C:a", "windows"), false);
  assertEquals(isAbsolutePath("C:/a", "windows"), true);
  assertEquals(isAbsolutePath("\\\\s\\x", "windows"), true);
  assertEquals(isAbsolutePath("a/b", "unix"), false);
});
