-- Phones of customers, and the tables from which Asterisk reads them while it runs (PJSIP and IAX
-- realtime). These have the names, columns and widths of Asterisk 22's own, so that Asterisk's
-- documentation holds for them; where Asterisk has a type of its own for a choice, they have text.

CREATE SCHEMA asterisk;

CREATE TABLE asterisk.ps_endpoints (
    id varchar(255) PRIMARY KEY, transport varchar(40), aors varchar(2048), auth varchar(255),
    context varchar(40), disallow varchar(200), allow varchar(200), direct_media text,
    connected_line_method text, direct_media_method text, direct_media_glare_mitigation text,
    disable_direct_media_on_nat text, dtmf_mode text, external_media_address varchar(40),
    force_rport text, ice_support text, identify_by varchar(80), mailboxes varchar(40),
    moh_suggest varchar(40), outbound_auth varchar(255), outbound_proxy varchar(255),
    rewrite_contact text, rtp_ipv6 text, rtp_symmetric text, send_diversion text, send_pai text,
    send_rpid text, timers_min_se integer, timers text, timers_sess_expires integer,
    callerid varchar(40), callerid_privacy text, callerid_tag varchar(40), "100rel" text,
    aggregate_mwi text, trust_id_inbound text, trust_id_outbound text, use_ptime text,
    use_avpf text, media_encryption text, inband_progress text, call_group varchar(40),
    pickup_group varchar(40), named_call_group varchar(40), named_pickup_group varchar(40),
    device_state_busy_at integer, fax_detect text, t38_udptl text, t38_udptl_ec text,
    t38_udptl_maxdatagram integer, t38_udptl_nat text, t38_udptl_ipv6 text,
    tone_zone varchar(40), language varchar(40), one_touch_recording text,
    record_on_feature varchar(40), record_off_feature varchar(40), rtp_engine varchar(40),
    allow_transfer text, allow_subscribe text, sdp_owner varchar(40), sdp_session varchar(40),
    tos_audio varchar(10), tos_video varchar(10), sub_min_expiry integer,
    from_domain varchar(40), from_user varchar(40), mwi_from_user varchar(40),
    dtls_verify varchar(40), dtls_rekey varchar(40), dtls_cert_file varchar(200),
    dtls_private_key varchar(200), dtls_cipher varchar(200), dtls_ca_file varchar(200),
    dtls_ca_path varchar(200), dtls_setup text, srtp_tag_32 text, media_address varchar(40),
    redirect_method text, set_var text, cos_audio integer, cos_video integer,
    message_context varchar(40), force_avp text, media_use_received_transport text,
    accountcode varchar(80), user_eq_phone text, moh_passthrough text,
    media_encryption_optimistic text, rpid_immediate text, g726_non_standard text,
    rtp_keepalive integer, rtp_timeout integer, rtp_timeout_hold integer,
    bind_rtp_to_media_address text, voicemail_extension varchar(40),
    mwi_subscribe_replaces_unsolicited text, deny varchar(95), permit varchar(95),
    acl varchar(40), contact_deny varchar(95), contact_permit varchar(95),
    contact_acl varchar(40), subscribe_context varchar(40), fax_detect_timeout integer,
    contact_user varchar(80), preferred_codec_only text, asymmetric_rtp_codec text,
    rtcp_mux text, allow_overlap text, refer_blind_progress text,
    notify_early_inuse_ringing text, max_audio_streams integer, max_video_streams integer,
    webrtc text, dtls_fingerprint text, incoming_mwi_mailbox varchar(40), bundle text,
    dtls_auto_generate_cert text, follow_early_media_fork text,
    accept_multiple_sdp_answers text, suppress_q850_reason_headers text,
    trust_connected_line text, send_connected_line text, ignore_183_without_sdp text,
    codec_prefs_incoming_offer varchar(128), codec_prefs_outgoing_offer varchar(128),
    codec_prefs_incoming_answer varchar(128), codec_prefs_outgoing_answer varchar(128),
    stir_shaken text, send_history_info text, allow_unauthenticated_options text,
    t38_bind_udptl_to_media_address text, geoloc_incoming_call_profile varchar(80),
    geoloc_outgoing_call_profile varchar(80), incoming_call_offer_pref text,
    outgoing_call_offer_pref text, stir_shaken_profile varchar(80), security_negotiation text,
    security_mechanisms varchar(512), send_aoc text, overlap_context varchar(80),
    tenantid varchar(80), suppress_moh_on_sendonly text, follow_redirect_methods varchar(95)
);

CREATE TABLE asterisk.ps_auths (
    id varchar(255) PRIMARY KEY, auth_type text, nonce_lifetime integer, md5_cred varchar(40),
    password varchar(80), realm varchar(255), username varchar(40), refresh_token varchar(255),
    oauth_clientid varchar(255), oauth_secret varchar(255), password_digest varchar(1024),
    supported_algorithms_uas varchar(1024), supported_algorithms_uac varchar(1024)
);

CREATE TABLE asterisk.ps_aors (
    id varchar(255) PRIMARY KEY, contact varchar(255), default_expiration integer,
    mailboxes varchar(80), max_contacts integer, minimum_expiration integer,
    remove_existing text, qualify_frequency integer, authenticate_qualify text,
    maximum_expiration integer, outbound_proxy varchar(255), support_path text,
    qualify_timeout double precision, voicemail_extension varchar(40), remove_unavailable text,
    qualify_2xx_only text
);

CREATE TABLE asterisk.ps_contacts (
    id varchar(255) PRIMARY KEY, uri varchar(511), expiration_time bigint,
    qualify_frequency integer, outbound_proxy varchar(255), path text, user_agent varchar(255),
    qualify_timeout double precision, reg_server varchar(255), authenticate_qualify text,
    via_addr varchar(40), via_port integer, call_id varchar(255), endpoint varchar(255),
    prune_on_boot text, qualify_2xx_only text
);

CREATE TABLE asterisk.iaxfriends (
    id integer GENERATED ALWAYS AS IDENTITY UNIQUE, name varchar(40) PRIMARY KEY, type text,
    username varchar(40), mailbox varchar(40), secret varchar(40), dbsecret varchar(40),
    context varchar(40), regcontext varchar(40), host varchar(40), ipaddr varchar(40),
    port integer, defaultip varchar(20), sourceaddress varchar(20), mask varchar(20),
    regexten varchar(40), regseconds integer, accountcode varchar(80), mohinterpret varchar(20),
    mohsuggest varchar(20), inkeys varchar(40), outkeys varchar(40), language varchar(10),
    callerid varchar(100), cid_number varchar(40), sendani text, fullname varchar(40),
    trunk text, auth varchar(20), maxauthreq integer, requirecalltoken text, encryption text,
    transfer text, jitterbuffer text, forcejitterbuffer text, disallow varchar(200),
    allow varchar(200), codecpriority varchar(40), qualify varchar(10), qualifysmoothing text,
    qualifyfreqok varchar(10), qualifyfreqnotok varchar(10), timezone varchar(20), adsi text,
    amaflags varchar(20), setvar varchar(200)
);
CREATE INDEX ps_contacts_endpoint ON asterisk.ps_contacts (endpoint);
CREATE INDEX ps_contacts_expiration ON asterisk.ps_contacts (reg_server, expiration_time);

-- Whose phone a row of Asterisk's is. The user name is never the account number, which would travel
-- in every SIP message. provisioning: the secret, sealed with the device token, which is not here.
CREATE TABLE phone (
    account_id         bigint NOT NULL REFERENCES account,
    technology         text NOT NULL CHECK (technology IN ('sip', 'iax')),
    user_name          text NOT NULL UNIQUE CHECK (user_name ~ '^[a-z0-9]{4,40}$'),
    device_token_sha256 bytea,
    provisioning       bytea,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (account_id, technology)
);
