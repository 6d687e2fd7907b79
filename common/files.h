/*
 * files.h - private directories, atomic writes, bounded reads, descriptors.
 *
 * Every path here may lie in a directory that others can write (/tmp), so
 * nothing follows a link in its last component, and nothing that is not ours
 * is ever "repaired".
 */
#ifndef FILES_H
#define FILES_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Make the directory PATH with mode 0700, or take one that exists only if it
 * is a real directory, owned by our effective uid, with no bit for others.
 * Returns a directory descriptor (close-on-exec), or -1: errno
 * EPERM if it exists and is not ours in that sense, ENOTDIR if it is no
 * directory.
 */
int	dir_private(const char *path);

/*
 * Replace DIRFD/NAME by the LEN octets at DATA, with MODE, so that a reader
 * sees the old or the new contents whole: temporary file, fsync if SYNC,
 * rename.  Returns 0, or -1 with errno and nothing left behind.
 */
int	file_replace(int dirfd, const char *name, const void *data, size_t len,
	    mode_t mode, int sync);

/*
 * Read all of DIRFD/NAME, which must be a regular file of at most MAX octets,
 * not a link.  Returns a NUL-terminated buffer that the caller frees, its
 * length in *LEN (may be NULL), or NULL with errno (EFBIG if over MAX).
 */
char	*file_read(int dirfd, const char *name, size_t max, size_t *len);

/*
 * Remove the directory tree at DIRFD/NAME without following links or leaving
 * its file system.  Returns 0, or -1 with errno of the first failure; goes on
 * past it.
 */
int	dir_remove(int dirfd, const char *name);

/*
 * write(2) all of it to a blocking descriptor.  0, or -1 with errno.
 */
int	write_all(int fd, const void *data, size_t len);

/* Add or remove O_NONBLOCK.  0, or -1 with errno. */
int	fd_nonblock(int fd, int on);

/* Overwrite LEN octets that held a secret; never optimised away. */
void	wipe(void *p, size_t len);

#endif
