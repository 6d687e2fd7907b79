/*
 * replay.c - a main() for fuzz targets: runs every file named on the command
 * line, and every file in a directory named there, through the target once.
 * Says nothing when all went well; the target aborts when not.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

__attribute__((noreturn))
static void
fail(const char *path)
{
	(void)fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void
replay_file(const char *path, size_t size)
{
	uint8_t *data;
	FILE *f;

	/* Exactly its size: then the sanitizer sees one octet too far. */
	f = fopen(path, "rbe");
	data = malloc(size > 0 ? size : 1);
	if (f == NULL || data == NULL)
		fail(path);
	if (fread(data, 1, size, f) != size)
		fail(path);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static void
replay(const char *path)
{
	char name[PATH_MAX];
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (stat(path, &st) == -1)
		fail(path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return;
	}
	d = opendir(path);
	if (d == NULL)
		fail(path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof name, "%s/%s", path, e->d_name) >=
		    (int)sizeof name) {
			errno = ENAMETOOLONG;
			fail(path);
		}
		replay(name);
	}
	(void)closedir(d);
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	return 0;
}
