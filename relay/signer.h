/*
 * signer.h - session certificates, made by ssh-keygen children that ask the
 * CA's agent.
 *
 * Nothing waits for a child: the loop goes on, a few run at a time, the rest
 * queue up.  Each has a private directory for its files, which goes away
 * whatever happens.
 */
#ifndef SIGNER_H
#define SIGNER_H

#include <stddef.h>
#include <stdint.h>

#define SIGNER_CERT_MAX	16384	/* octets of a certificate line */

struct event_base;
struct signer;

struct signer_conf {
	const char	*ca_pub;	/* the CA's public key file */
	const char	*ca_agent;	/* its agent's socket */
	const char	*run_dir;	/* for the private directories */
	uint32_t	 timeout_ms;	/* of one, from signer_start() on */
};

/*
 * The strings must stay.  What an earlier process left behind is removed.
 * Returns NULL with errno.
 */
struct signer	*signer_new(struct event_base *base,
		    const struct signer_conf *conf);

/* CERTIFICATE is `type base64`, or NULL if there is none; why is logged. */
typedef void	 signer_cb(void *arg, const char *certificate);

struct signer_request {
	const char	*public_key;	/* `type base64`, checked */
	const char	*key_id;
	int64_t		 serial;
	int64_t		 expires_at;	/* Unix seconds */
};

/*
 * Sign.  CB is called exactly once, maybe before this returns.  Nothing of RQ
 * is kept.
 */
void		 signer_start(struct signer *sg,
		    const struct signer_request *rq, signer_cb *cb, void *arg);

/* Kill what runs; every callback that is due gets NULL. */
void		 signer_free(struct signer *sg);

#endif
