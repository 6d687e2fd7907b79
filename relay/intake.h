/*
 * intake.h - one file that is being received: to disk, and into a SHA-256.
 *
 * Writing, hashing and above all fsync happen in a thread of the file's own, as
 * each of them may take seconds on a busy disk, and the loop that feeds it has
 * others to serve.  The thread touches nothing but the file and this struct; it
 * lives only while there is work.  Everything here is called from the loop.
 *
 * NAME.part is what came so far, its size how much; NAME is a file that is
 * complete.  Knows no HTTP and no database.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTAKE_NAME_MAX	32
#define INTAKE_DIGEST	32	/* octets of a SHA-256 */
#define INTAKE_BUFFER	(512u << 10)	/* octets held, at most */

struct intake;

enum intake_result {
	INTAKE_OK,
	INTAKE_FULL,		/* the disk is, down to the floor */
	INTAKE_MISMATCH,	/* another digest or size; what came is gone */
	INTAKE_ERROR		/* errno in *ERRNUM of intake_done() */
};

struct intake_conf {
	int		 dirfd;
	_Atomic uint64_t floor;		/* octets to leave free on the disk */
	void		(*wake)(void *arg);	/* called by threads: look at
						 * intake_done(), _has_room() */
	void		*wake_arg;
};

/* CONF must outlive it.  Returns NULL with errno. */
struct intake	*intake_new(const struct intake_conf *conf, const char *name);

/* Waits until its thread is through with what it was given. */
void		 intake_free(struct intake *in);

/* How much of NAME came so far. */
uint64_t	 intake_offset(const struct intake_conf *conf,
		    const char *name);

/* Begin to receive at OFFSET, which must be what came so far.  0, or -1. */
int		 intake_receive(struct intake *in, uint64_t offset);

/*
 * Take at most LEN octets at DATA.  Returns how many; after fewer than LEN,
 * intake_has_room() will say once that there is room again.
 */
size_t		 intake_put(struct intake *in, const void *data, size_t len);
bool		 intake_has_room(struct intake *in);

/* No more will come; what came is made durable. */
void		 intake_end(struct intake *in);

/*
 * Make NAME.part, which must be of SIZE octets and, unless that is NULL, have
 * the digest WANT, the file NAME, durably; nothing is overwritten.  One that
 * is NAME already is checked again.  0, or -1.
 */
int		 intake_finish(struct intake *in, uint64_t size,
		    const unsigned char want[INTAKE_DIGEST]);

/*
 * True once a job is over; then it may be given another.  The digest of a file
 * that intake_finish() finished goes to DIGEST.
 */
bool		 intake_done(struct intake *in, enum intake_result *result,
		    unsigned char digest[INTAKE_DIGEST], int *errnum);

/* How many octets the thread has written, for the curious. */
uint64_t	 intake_written(struct intake *in);

#endif
