/*
 * spawn.c - how long a command takes from its start to its end.
 *
 * usage: bench-spawn RUNS COMMAND [ARGUMENT...]
 *
 * Runs it so many times, one after the other, with what it prints thrown away.
 * Prints each run's nanoseconds; fails if the command does, with a status other
 * than that of its first run.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "num.h"
#include "spawn.h"

int
main(int argc, char **argv)
{
	uint64_t runs, begin, i;
	int status, first = -1;

	if (argc < 3 || num_parse_str(argv[1], 1, 100000, &runs) == -1)
		errx(1, "usage: bench-spawn RUNS COMMAND...");
	for (i = 0; i < runs; i++) {
		const char *const *args = (const char *const *)(argv + 2);
		struct spawn sp = SPAWN_INIT(args);

		sp.in = sp.out = sp.err = -1;
		begin = clock_ns();
		status = spawn_wait(spawn_start(&sp));
		printf("%" PRIu64 " ", clock_ns() - begin);
		if (first == -1)
			first = status;
		if (status == -1 || status != first)
			errx(1, "%s: status %d", argv[2], status);
	}
	printf("\n%d\n", first);
	return 0;
}
