import { assert, assertEquals } from "@std/assert";
import { knownFolder } from "../../ffi/shell32.ts";
import { onWindows } from "../support/windows.ts";

onWindows("knownFolder() agrees with an honest environment", () => {
  assertEquals(knownFolder("ProgramData"), Deno.env.get("ProgramData"));
  assertEquals(knownFolder("Profile"), Deno.env.get("USERPROFILE"));
});

onWindows("knownFolder() does not believe the environment", () => {
  const honest = knownFolder("ProgramData");
  const before = Deno.env.get("ProgramData") ?? "";
  Deno.env.set("ProgramData", "C:\\forged");
  try {
    assert(honest !== undefined);
    assertEquals(knownFolder("ProgramData"), honest);
  } finally {
    Deno.env.set("ProgramData", before);
  }
});
