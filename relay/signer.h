/*
 * signer.h - session certificates, signed by the CA's ssh-agent.
 *
 * Nothing waits for the agent: a job is a connection to its socket in the
 * event loop.  No process is started and no file written, so that the session
 * ID shows nowhere.
 */
#ifndef SIGNER_H
#define SIGNER_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct signer;

struct signer_conf {
	const char	*ca_pub;	/* the CA's public key file */
	const char	*ca_agent;	/* its agent's socket */
	uint32_t	 timeout_ms;	/* of one signature */
};

/* The strings must stay.  Returns NULL with errno. */
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

/* From now on signatures may take so long. */
void		 signer_set_timeout(struct signer *sg, uint32_t ms);

/* Give up what is under way; every callback that is due gets NULL. */
void		 signer_free(struct signer *sg);

#endif
