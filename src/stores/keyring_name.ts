/**
 * What a collection of gnome-keyring is called, on disk too: the last part of
 * its object path, where a byte that a path cannot have is `_` and its code.
 */
export function keyringName(collection: string): string {
  const escaped = collection.slice(collection.lastIndexOf("/") + 1);
  const latin1 = escaped.replace(
    /_([0-9a-f]{2})/g,
    (_, code: string) => String.fromCharCode(parseInt(code, 16)),
  );
  return new TextDecoder().decode(
    Uint8Array.from(latin1, (letter) => letter.charCodeAt(0)),
  );
}
