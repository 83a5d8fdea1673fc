// Runs a program once and prints what it took, as JSON:
//
//     stopwatch INPUT PROGRAM [ARGUMENT]…
//
// It is in C because a process counts the memory of whoever started it towards
// its own peak, until it becomes another program, and because Deno takes
// milliseconds to start one.

#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static double milliseconds(struct timeval t) {
  return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

int main(int argc, char **argv) {
  int out[2], status;
  if (argc < 3 || pipe2(out, O_CLOEXEC) != 0) return 2;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, argv[1], O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);

  pid_t pid;
  double start = now(), first = 0;
  if (posix_spawnp(&pid, argv[2], &actions, NULL, argv + 2, environ) != 0) {
    return 2;
  }
  close(out[1]);
  char buffer[4096];
  while (read(out[0], buffer, sizeof buffer) > 0) {
    if (first == 0) first = now() - start;
  }
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) != pid) return 2;
  printf("{\"total\":%.3f,\"first\":%.3f,\"cpu\":%.3f,\"rss\":%.3f,\"ok\":%s}\n",
         now() - start, first,
         milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
         usage.ru_maxrss / 1024.0, status == 0 ? "true" : "false");
  return 0;
}
