/* Preloaded: makes `/.flatpak-info` exist, as it does in a flatpak. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

static const char *real_path(const char *volatile given) {
  /* Whoever tries whether statx(2) is there passes NULL. */
  const char *path = given;
  return path != NULL && strcmp(path, "/.flatpak-info") == 0 ? "/etc/passwd" : path;
}

#define REAL(type) static type real; if (real == NULL) real = (type)dlsym(RTLD_NEXT, __func__)

int access(const char *path, int mode) {
  typedef int (*function)(const char *, int);
  REAL(function);
  return real(real_path(path), mode);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *out) {
  typedef int (*function)(int, const char *, int, unsigned, struct statx *);
  REAL(function);
  return real(folder, real_path(path), flags, mask, out);
}
