/*
 * handlers.h - handlers that do nothing, for a route table without its API.
 */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "../../relay/api.h"

#define HANDLER(name) void name(struct request *rq) { (void)rq; }
HANDLER(api_healthz)
HANDLER(api_info)
HANDLER(api_ca_pub)
HANDLER(api_host_ca_pub)
HANDLER(api_sign)
HANDLER(api_enroll_check)
HANDLER(api_enroll_sign)
HANDLER(api_pending_add)
HANDLER(api_pending_list)
HANDLER(api_pending_get)
HANDLER(api_pending_cancel)
HANDLER(api_token_add)
HANDLER(api_token_get)
HANDLER(api_token_revoke)
HANDLER(api_session_register)
HANDLER(api_session_list)
HANDLER(api_session_get)
HANDLER(api_session_patch)
HANDLER(api_session_end)
HANDLER(api_session_heartbeat)
HANDLER(api_session_cast)
HANDLER(api_metrics)
HANDLER(api_support_keys)
HANDLER(api_case)
HANDLER(api_upload_add)
HANDLER(api_upload_list)
HANDLER(api_upload_get)
HANDLER(api_upload_delete)
HANDLER(api_upload_put)
HANDLER(api_upload_data)
HANDLER(api_upload_complete)
#undef HANDLER

#endif
