/* Preloaded: makes the libraries whose names begin with HIDDEN_LIBRARY absent
 * for whoever looks for them at run time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *dlopen(const char *name, int flags) {
  static void *(*real)(const char *, int);
  if (real == NULL) real = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
  const char *hidden = getenv("HIDDEN_LIBRARY");
  if (name != NULL && hidden != NULL && strncmp(name, hidden, strlen(hidden)) == 0)
  {
    char absent[256];
    snprintf(absent, sizeof absent, "%s.hidden", name);
    return real(absent, flags);
  }
  return real(name, flags);
}
