/* Preloaded into the program under test: sees each call that changes something
 * under a directory or sends a message to the session bus, and can kill the
 * process there, let the call fail or come up short, or hold it until a file
 * appears. tests/support/kill_shim.ts says what a test can ask for.
 *
 *   KILL_SHIM_DIRECTORY  the directory; what lies elsewhere is not seen
 *   KILL_SHIM_LOG        a file for one line per call: "KIND NAME DETAIL"
 *   KILL_SHIM_RULES      lines of "ACTION KIND NTH NAME [ARGUMENT]"
 *
 * KIND and NAME are patterns of fnmatch(3). NTH counts the calls that match
 * the rule, from 1; 0 is every one of them. Actions:
 *
 *   kill              before the call
 *   kill-after        when the call has returned
 *   fail ERRNO        instead of the call
 *   short BYTES       writes no more than that
 *   wait FILE         makes FILE.reached, then waits for FILE, then goes on
 *
 * Only calls through libc's symbols are seen; tests/faults/kill_shim_test.ts
 * compares with strace. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MAX_RULES 16

enum action { NONE, KILL, KILL_AFTER, FAIL, SHORT, WAIT };

static struct rule {
  enum action action;
  char kind[32], name[256], argument[PATH_MAX];
  int nth, number, seen;
} rules[MAX_RULES];
static int rule_count;
static char directory[PATH_MAX];
static int log_fd = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static const struct {
  const char *name;
  int number;
} errors[] = {
    {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR}, {"EIO", EIO},
    {"ENOSPC", ENOSPC}, {"EPERM", EPERM},   {"EROFS", EROFS},
};

static void give_up(const char *what) {
  dprintf(2, "kill_shim: %s\n", what);
  _exit(99);
}

static int error_number(const char *name) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strcmp(errors[i].name, name) == 0) return errors[i].number;
  give_up("no such error");
  return 0;
}

static void add_rule(const char *line) {
  char action[16];
  if (rule_count == MAX_RULES) give_up("too many rules");
  struct rule *rule = &rules[rule_count++];
  int fields = sscanf(line, "%15s %31s %d %255s %4095[^\n]", action, rule->kind,
                      &rule->nth, rule->name, rule->argument);
  if (fields < 4) give_up("a rule has too few words");
  if (strcmp(action, "kill") == 0) rule->action = KILL;
  else if (strcmp(action, "kill-after") == 0) rule->action = KILL_AFTER;
  else if (strcmp(action, "wait") == 0) rule->action = WAIT;
  else if (strcmp(action, "fail") == 0) {
    rule->action = FAIL;
    rule->number = error_number(rule->argument);
  } else if (strcmp(action, "short") == 0) {
    rule->action = SHORT;
    rule->number = atoi(rule->argument);
  } else give_up("no such action");
}

__attribute__((constructor)) static void start(void) {
  const char *dir = getenv("KILL_SHIM_DIRECTORY");
  const char *log = getenv("KILL_SHIM_LOG");
  const char *text = getenv("KILL_SHIM_RULES");
  if (dir != NULL && realpath(dir, directory) == NULL) give_up("no directory");
  if (log != NULL) {
    log_fd = syscall(SYS_openat, AT_FDCWD, log,
                     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0) give_up("the log does not open");
  }
  if (text == NULL) return;
  char *copy = strdup(text), *rest = copy, *line;
  while ((line = strsep(&rest, "\n")) != NULL)
    if (*line != '\0') add_rule(line);
  free(copy);
}

/* What lies in the directory, by its name there; NULL for what does not. */
static const char *inside(const char *path) {
  size_t length = strlen(directory);
  if (length == 0 || strncmp(path, directory, length) != 0) return NULL;
  return path[length] == '/' ? path + length + 1 : NULL;
}

/* The path of an open file or folder. */
static int path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, buffer, PATH_MAX - 1);
  if (size < 0) return 0;
  buffer[size] = '\0';
  return 1;
}

/* The same as inside() for a path that need not exist: its folder does. */
static const char *name_of_path(int at, const char *path, char *buffer) {
  char folder[2 * PATH_MAX] = "";
  if (path == NULL || strlen(path) >= PATH_MAX) return NULL;
  if (path[0] != '/' && at != AT_FDCWD) {
    if (!path_of(at, folder)) return NULL;
    strcat(folder, "/");
  }
  strcat(folder, path);
  char last[PATH_MAX];
  char *slash = strrchr(folder, '/');
  strcpy(last, slash == NULL ? folder : slash + 1);
  if (slash != NULL) *slash = '\0';
  const char *parent = slash == NULL ? "." : slash == folder ? "/" : folder;
  if (realpath(parent, buffer) == NULL) return NULL;
  if (strlen(buffer) + strlen(last) + 2 > PATH_MAX) return NULL;
  strcat(strcat(buffer, "/"), last);
  return inside(buffer);
}

static const char *name_of_file(int fd, char *buffer) {
  return path_of(fd, buffer) ? inside(buffer) : NULL;
}

/* A socket of the bus has a name at its other end; one that Deno uses for
 * itself or for standard output has none. */
static int is_bus(int fd) {
  struct sockaddr_un peer;
  socklen_t size = sizeof peer;
  memset(&peer, 0, sizeof peer);
  return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
         peer.sun_family == AF_UNIX && size > sizeof(sa_family_t) &&
         (peer.sun_path[0] != '\0' || peer.sun_path[1] != '\0');
}

static uint32_t number_at(const uint8_t *bytes, size_t at) {
  uint32_t number;
  memcpy(&number, bytes + at, sizeof number);
  return number;
}

/* The member of a method call, as the D-Bus specification lays messages out
 * ("Message Format"): 12 bytes, then an array of (BYTE, VARIANT). Integers are
 * in this machine's order, since it is this machine that sends them. */
static void name_of_message(const uint8_t *bytes, size_t size, char *name) {
  strcpy(name, "auth");
  if (size < 16 || (bytes[0] != 'l' && bytes[0] != 'B')) return;
  snprintf(name, 128, "type-%d", bytes[1]);
  size_t end = 16 + number_at(bytes, 12);
  for (size_t at = 16; at + 8 <= end && end <= size;) {
    uint8_t field = bytes[at], type = bytes[at + 2];
    if (bytes[at + 1] != 1) return;
    at += 4;
    if (type == 's' || type == 'o') {
      uint32_t length = number_at(bytes, at);
      if (field == 3 && length < 128 && at + 4 + length < size) {
        memcpy(name, bytes + at + 4, length);
        name[length] = '\0';
        return;
      }
      at += 4 + length + 1;
    } else if (type == 'g') {
      at += 1 + bytes[at] + 1;
    } else {
      at += 4;
    }
    at = (at + 7) & ~(size_t)7;
  }
}

static void put(const char *text) {
  int fd = log_fd;
  if (fd >= 0) syscall(SYS_write, fd, text, strlen(text));
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static void wait_for(const char *file) {
  char reached[PATH_MAX + 16];
  snprintf(reached, sizeof reached, "%s.reached", file);
  int fd = syscall(SYS_openat, AT_FDCWD, reached, O_WRONLY | O_CREAT, 0600);
  if (fd < 0) give_up("cannot say that it has been reached");
  close(fd);
  while (access(file, F_OK) != 0) usleep(1000);
}

/* Notes a call, and says what is to happen to it. */
static struct rule point(const char *kind, const char *name,
                         const char *detail) {
  struct rule chosen = {.action = NONE};
  char waits[PATH_MAX] = "";
  pthread_mutex_lock(&mutex);
  char line[PATH_MAX + 256];
  snprintf(line, sizeof line, "%s %s%s%s\n", kind, name, *detail ? " " : "",
           detail);
  put(line);
  for (int i = 0; i < rule_count; i++) {
    struct rule *rule = &rules[i];
    if (fnmatch(rule->kind, kind, 0) != 0 || fnmatch(rule->name, name, 0) != 0)
      continue;
    rule->seen++;
    if (rule->nth != 0 && rule->nth != rule->seen) continue;
    if (rule->action == KILL) die();
    if (rule->action == WAIT) strcpy(waits, rule->argument);
    else chosen = *rule;
  }
  pthread_mutex_unlock(&mutex);
  if (*waits != '\0') wait_for(waits);
  return chosen;
}

#define CALL(type, decision, call)                    \
  do {                                                \
    struct rule given = (decision);                   \
    if (given.action == FAIL) {                       \
      errno = given.number;                           \
      return -1;                                      \
    }                                                 \
    type result = (call);                             \
    if (given.action == KILL_AFTER) die();            \
    return result;                                    \
  } while (0)

#define ON_PATH(type, kind, at, path, call)                \
  do {                                                     \
    char buffer[PATH_MAX];                                 \
    const char *name = name_of_path(at, path, buffer);     \
    if (name == NULL) return (call);                       \
    CALL(type, point(kind, name, ""), call);               \
  } while (0)

#define ON_FILE(type, kind, fd, detail, call)              \
  do {                                                     \
    char buffer[PATH_MAX];                                 \
    const char *name = name_of_file(fd, buffer);           \
    if (name == NULL) return (call);                       \
    CALL(type, point(kind, name, detail), call);           \
  } while (0)

static const char *open_kind(int flags) {
  return (flags & O_ACCMODE) == O_RDONLY && !(flags & (O_CREAT | O_TRUNC))
             ? "read"
             : "file.open";
}

static mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;
}

#define OPEN(function)                                                       \
  int function(const char *path, int flags, ...) {                           \
    va_list list;                                                            \
    va_start(list, flags);                                                   \
    mode_t mode = mode_of(flags, list);                                      \
    va_end(list);                                                            \
    ON_PATH(int, open_kind(flags), AT_FDCWD, path,                           \
            REAL(function)(path, flags, mode));                              \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                                     \
  int function(int at, const char *path, int flags, ...) {                   \
    va_list list;                                                            \
    va_start(list, flags);                                                   \
    mode_t mode = mode_of(flags, list);                                      \
    va_end(list);                                                            \
    ON_PATH(int, open_kind(flags), at, path,                                 \
            REAL(function)(at, path, flags, mode));                          \
  }
OPENAT(openat)
OPENAT(openat64)

int mkdir(const char *path, mode_t mode) {
  ON_PATH(int, "file.mkdir", AT_FDCWD, path, REAL(mkdir)(path, mode));
}
int chmod(const char *path, mode_t mode) {
  ON_PATH(int, "file.chmod", AT_FDCWD, path, REAL(chmod)(path, mode));
}
int fchmodat(int at, const char *path, mode_t mode, int flags) {
  ON_PATH(int, "file.chmod", at, path, REAL(fchmodat)(at, path, mode, flags));
}
int fchmod(int fd, mode_t mode) {
  ON_FILE(int, "file.chmod", fd, "", REAL(fchmod)(fd, mode));
}
int unlink(const char *path) {
  ON_PATH(int, "file.unlink", AT_FDCWD, path, REAL(unlink)(path));
}
int unlinkat(int at, const char *path, int flags) {
  ON_PATH(int, "file.unlink", at, path, REAL(unlinkat)(at, path, flags));
}
int rename(const char *from, const char *to) {
  ON_PATH(int, "file.rename", AT_FDCWD, to, REAL(rename)(from, to));
}
int renameat(int at, const char *from, int at2, const char *to) {
  ON_PATH(int, "file.rename", at2, to, REAL(renameat)(at, from, at2, to));
}
int link(const char *from, const char *to) {
  ON_PATH(int, "file.link", AT_FDCWD, to, REAL(link)(from, to));
}
int linkat(int at, const char *from, int at2, const char *to, int flags) {
  ON_PATH(int, "file.link", at2, to, REAL(linkat)(at, from, at2, to, flags));
}
int symlink(const char *target, const char *path) {
  ON_PATH(int, "file.link", AT_FDCWD, path, REAL(symlink)(target, path));
}
int fsync(int fd) { ON_FILE(int, "file.sync", fd, "", REAL(fsync)(fd)); }
int fdatasync(int fd) {
  ON_FILE(int, "file.sync", fd, "", REAL(fdatasync)(fd));
}
int flock(int fd, int operation) {
  ON_FILE(int, operation & LOCK_UN ? "file.unlock" : "file.lock", fd, "",
          REAL(flock)(fd, operation));
}

#define FTRUNCATE(function, type)                                            \
  int function(int fd, type length) {                                        \
    char detail[32];                                                         \
    snprintf(detail, sizeof detail, "%lld", (long long)length);              \
    ON_FILE(int, "file.truncate", fd, detail, REAL(function)(fd, length));   \
  }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

/* A write to a file, or a message to the bus. */
static int on_write(int fd, long long offset, const void *bytes, size_t size,
                    struct rule *rule) {
  char buffer[PATH_MAX], detail[64];
  const char *name = name_of_file(fd, buffer);
  if (name != NULL) {
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR);
    snprintf(detail, sizeof detail, "%lld+%zu", offset, size);
    *rule = point("file.write", name, detail);
    return 1;
  }
  if (!is_bus(fd)) return 0;
  name_of_message(bytes, size, buffer);
  *rule = point("bus", buffer, "");
  return 1;
}

#define ON_WRITE(fd, offset, bytes, size, call)                              \
  do {                                                                       \
    struct rule rule = {.action = NONE};                                     \
    if (!on_write(fd, offset, bytes, size, &rule)) return (call);            \
    if (rule.action == SHORT && (size_t)rule.number < size)                  \
      size = rule.number;                                                    \
    CALL(ssize_t, rule, call);                                               \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t size) {
  ON_WRITE(fd, -1, bytes, size, REAL(write)(fd, bytes, size));
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  ON_WRITE(fd, offset, bytes, size, REAL(pwrite)(fd, bytes, size, offset));
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  ON_WRITE(fd, offset, bytes, size, REAL(pwrite64)(fd, bytes, size, offset));
}
ssize_t send(int fd, const void *bytes, size_t size, int flags) {
  ON_WRITE(fd, -1, bytes, size, REAL(send)(fd, bytes, size, flags));
}
ssize_t sendto(int fd, const void *bytes, size_t size, int flags,
               const struct sockaddr *to, socklen_t length) {
  ON_WRITE(fd, -1, bytes, size,
           REAL(sendto)(fd, bytes, size, flags, to, length));
}

static size_t size_of(const struct iovec *vectors, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++) size += vectors[i].iov_len;
  return size;
}

/* Only whole vectors: a short one of these is not needed. */
ssize_t writev(int fd, const struct iovec *vectors, int count) {
  size_t size = size_of(vectors, count);
  const void *bytes = count > 0 ? vectors[0].iov_base : NULL;
  ON_WRITE(fd, -1, bytes, size, REAL(writev)(fd, vectors, count));
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  uint8_t head[1024];
  size_t size = 0;
  for (size_t i = 0; i < message->msg_iovlen && size < sizeof head; i++) {
    const struct iovec *vector = &message->msg_iov[i];
    size_t more = vector->iov_len < sizeof head - size ? vector->iov_len
                                                       : sizeof head - size;
    memcpy(head + size, vector->iov_base, more);
    size += more;
  }
  ON_WRITE(fd, -1, head, size, REAL(sendmsg)(fd, message, flags));
}
