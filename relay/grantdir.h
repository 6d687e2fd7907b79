/*
 * grantdir.h - the directory of grant files, kept like the database says.
 */
#ifndef GRANTDIR_H
#define GRANTDIR_H

#include <stdint.h>

struct store;

/*
 * Open RUN_DIR/grants (0755), making it if it is not there.  Returns a
 * descriptor, or -1 with errno (EPERM: it is not ours).
 */
int	grantdir_open(const char *run_dir);

/*
 * Write every file and link that should be there at NOW, then remove all
 * others; a login meanwhile finds the old or the new one.  0, or -1; why is
 * logged.
 */
int	grantdir_rebuild(int dirfd, struct store *st, int64_t now);

/* Remove what is over at NOW. */
void	grantdir_sweep(int dirfd, struct store *st, int64_t now);

#endif
