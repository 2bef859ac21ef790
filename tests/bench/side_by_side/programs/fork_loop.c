/* What one process costs the kernel, and so the floor of everything that starts one for each execution:
 * fork, _exit, waitpid. Prints how many a second.
 *   fork_loop RUNS */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  long runs = count == 2 ? atol(arguments[1]) : 0;
  if (runs < 1) {
    fprintf(stderr, "usage: fork_loop RUNS\n");
    return 2;
  }
  double started = now();
  for (long n = 0; n < runs; n++) {
    int status;
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
      perror("fork_loop");
      return 1;
    }
  }
  printf("%f\n", runs / (now() - started));
  return 0;
}
