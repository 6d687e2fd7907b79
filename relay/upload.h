/*
 * upload.h - files that are being received, and where they are kept.
 *
 * A directory of our own, DATA_DIR/uploads; file names are upload IDs, which
 * the relay draws: nothing that anybody says becomes part of a path.  Who may
 * do what, and what is on record, its callers know.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "intake.h"

#define UPLOAD_ID_LEN	32	/* hex digits: 128 bits of chance */

struct event_base;
struct request;
struct uploads;

struct uploads_conf {
	struct event_base	*base;
	const char		*data_dir;
	uint64_t		 floor;		/* octets to leave free */
	unsigned int		 parallel;	/* jobs at a time */
};

static inline bool
upload_is_id(const char *s, size_t len)
{
	return len == UPLOAD_ID_LEN && strspn(s, "0123456789abcdef") >= len;
}

/* Returns NULL with errno. */
struct uploads	*uploads_new(const struct uploads_conf *conf);

/* Requests at work are answered 503; what they brought is kept. */
void		 uploads_free(struct uploads *u);

/* From now on these limits. */
void		 uploads_set_limits(struct uploads *u, uint64_t floor,
		    unsigned int parallel);

/* An ID that is new.  0, or -1. */
int		 upload_draw_id(char id[UPLOAD_ID_LEN + 1]);

/* How much of upload ID is here; is it being worked on; how many are. */
uint64_t	 upload_offset(struct uploads *u, const char *id);
bool		 upload_is_busy(struct uploads *u, const char *id);
unsigned int	 uploads_busy(const struct uploads *u);

/* Octets free on the disk, and how many uploads may use of them. */
uint64_t	 uploads_room(struct uploads *u);

/* A job of request RQ is over; its answer is due. */
typedef void	 upload_done(struct request *rq, enum intake_result result,
		    const unsigned char digest[INTAKE_DIGEST]);

enum upload_start {
	UPLOAD_STARTED,
	UPLOAD_BUSY,		/* another request is at it */
	UPLOAD_MANY,		/* too many at a time */
	UPLOAD_FAILED		/* logged */
};

/*
 * Receive upload ID from OFFSET, which must be upload_offset(), out of the body
 * of RQ; becomes its sink.  DONE is called unless RQ goes away before.
 */
enum upload_start upload_receive(struct uploads *u, struct request *rq,
		    const char *id, uint64_t offset, upload_done *done);

/* Finish upload ID; as intake_finish(). */
enum upload_start upload_finish(struct uploads *u, struct request *rq,
		    const char *id, uint64_t size,
		    const unsigned char want[INTAKE_DIGEST],
		    upload_done *done);

/* Open a file that is complete, for reading; its size to *SIZE.  Or -1. */
int		 upload_open(struct uploads *u, const char *id,
		    uint64_t *size);

/* Remove what there is of upload ID, which must not be busy. */
void		 upload_remove(struct uploads *u, const char *id);

/* Remove every upload that IS_KNOWN does not know. */
void		 uploads_sweep(struct uploads *u,
		    bool (*is_known)(void *arg, const char *id), void *arg);

#endif
