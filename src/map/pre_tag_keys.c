/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rows of a tagging map can ask of a record. A key that a record does not tell equals nothing, so that a minus
 * fits; some are zero then, as operators of pmacct know it (untagged is VLAN 0), and of what only BGP knows neither
 * form fits.
 */
#include "map/pre_tag_rows.h"

#define ALL DAEMON_ALL
#define N DAEMON_NFACCTD
#define S DAEMON_SFACCTD
#define NS (DAEMON_NFACCTD | DAEMON_SFACCTD)
#define PU (DAEMON_PMACCTD | DAEMON_UACCTD)
#define SPU (DAEMON_SFACCTD | DAEMON_PMACCTD | DAEMON_UACCTD)
#define NPU (DAEMON_NFACCTD | DAEMON_PMACCTD | DAEMON_UACCTD)

/* KEY(name, daemons, form, absent, minus, subject, most); KEY2 has a second subject. */
#define KEY2(name, daemons, form, absent, minus, subject, other, most)                                        \
    {name, daemons, CONDITION_##form, RULES_ABSENT_##absent, minus, subject, other, most, NULL}
#define KEY(name, daemons, form, absent, minus, subject, most)                                                \
    KEY2(name, daemons, form, absent, minus, subject, SUBJECT_NONE, most)

const struct condition_key pre_tag_keys[] = {
    /* the exporter */
    KEY("ip", NS, PREFIX, NEVER, false, FIELD_PEER_SRC_IP, 0),
    KEY("ip", PU, NO_PREFIX, NEVER, false, FIELD_PEER_SRC_IP, 0),
    KEY("engine_type", ALL, NUMBER, OTHER, true, SUBJECT_ENGINE_TYPE, UINT8_MAX),
    KEY("engine_id", ALL, NUMBER, OTHER, true, FIELD_EXPORT_PROTO_SYSID, UINT32_MAX),
    KEY("source_id", ALL, NUMBER, OTHER, true, FIELD_EXPORT_PROTO_SYSID, UINT32_MAX),
    KEY("agent_id", ALL, NUMBER, OTHER, true, FIELD_EXPORT_PROTO_SYSID, UINT32_MAX),
    KEY("flowset_id", ALL, NUMBER, OTHER, true, SUBJECT_SET_ID, UINT16_MAX),
    KEY("sample_type", NPU, SORT, OTHER, true, SUBJECT_SORT, 0),
    KEY("sample_type", S, SAMPLE, OTHER, true, SUBJECT_SAMPLE_TYPE, 0),
    KEY("is_bi_flow", ALL, BOOLEAN, ZERO, true, SUBJECT_TWO_WAY, 0),
    KEY("is_nel", ALL, BOOLEAN, ZERO, true, SUBJECT_HAS_NAT_EVENT, 0),
    KEY("is_nsel", ALL, BOOLEAN, ZERO, true, SUBJECT_HAS_FW_EVENT, 0),
    KEY("nat_event", ALL, NUMBER, OTHER, true, FIELD_NAT_EVENT, UINT8_MAX),
    /* the way */
    KEY("in", ALL, NUMBER, OTHER, true, FIELD_IN_IFACE, UINT32_MAX),
    KEY("out", ALL, NUMBER, OTHER, true, FIELD_OUT_IFACE, UINT32_MAX),
    KEY("direction", N, NUMBER, ZERO, true, SUBJECT_DIRECTION, 1),
    KEY("direction", SPU, NUMBER, OTHER, true, SUBJECT_DIRECTION, 1),
    KEY("nexthop", ALL, ADDRESS, NEVER, true, FIELD_IP_NEXT_HOP, 0),
    KEY("bgp_nexthop", ALL, ADDRESS, OTHER, true, FIELD_PEER_DST_IP, 0),
    KEY("fwd_status", ALL, NUMBER, NEVER, true, FIELD_FWD_STATUS, UINT32_MAX),
    KEY("fwdstatus", ALL, NUMBER, NEVER, true, FIELD_FWD_STATUS, UINT32_MAX),
    /* the packet */
    KEY("filter", ALL, FILTER, OTHER, false, SUBJECT_NONE, 0),
    KEY("src_mac", ALL, MAC, OTHER, true, FIELD_SRC_MAC, 0),
    KEY("dst_mac", ALL, MAC, OTHER, true, FIELD_DST_MAC, 0),
    KEY("is_multicast", ALL, BOOLEAN, ZERO, true, SUBJECT_MULTICAST, 0),
    KEY("vlan", N, NUMBER, ZERO, true, FIELD_IN_VLAN, UINT16_MAX),
    KEY2("vlan", S, NUMBER, ZERO, true, FIELD_IN_VLAN, FIELD_OUT_VLAN, UINT16_MAX),
    KEY("vlan", PU, NUMBER, ZERO, true, FIELD_VLAN, UINT16_MAX),
    KEY("cvlan", ALL, NUMBER, ZERO, true, FIELD_IN_CVLAN, UINT16_MAX),
    KEY("src_net", ALL, PREFIX, OTHER, true, FIELD_SRC_HOST, 0),
    KEY("dst_net", ALL, PREFIX, OTHER, true, FIELD_DST_HOST, 0),
    KEY("ip_proto", ALL, PROTOCOL, OTHER, true, FIELD_PROTO, 0),
    KEY("src_port", ALL, NUMBER, OTHER, true, FIELD_SRC_PORT, UINT16_MAX),
    KEY("dst_port", ALL, NUMBER, OTHER, true, FIELD_DST_PORT, UINT16_MAX),
    KEY("tcp_flags", ALL, HEXADECIMAL, OTHER, true, FIELD_TCPFLAGS, UINT16_MAX),
    /* VPNs */
    KEY("mpls_vpn_rd", ALL, DISTINGUISHER, OTHER, true, FIELD_MPLS_VPN_RD, 0),
    KEY("mpls_vpn_id_in", ALL, NUMBER, OTHER, true, FIELD_INGRESS_VRF_ID, UINT32_MAX),
    KEY("mpls_vpn_id_out", ALL, NUMBER, OTHER, true, FIELD_EGRESS_VRF_ID, UINT32_MAX),
    KEY("mpls_pw_id", ALL, NUMBER, ZERO, true, FIELD_MPLS_PW_ID, UINT32_MAX),
    /* routing */
    KEY("src_as", ALL, NUMBER, ZERO, true, FIELD_SRC_AS, UINT32_MAX),
    KEY("dst_as", ALL, NUMBER, ZERO, true, FIELD_DST_AS, UINT32_MAX),
    KEY("peer_src_as", ALL, NUMBER, ZERO, true, FIELD_PEER_SRC_AS, UINT32_MAX),
    KEY("peer_dst_as", ALL, NUMBER, ZERO, true, FIELD_PEER_DST_AS, UINT32_MAX),
    KEY("comms", ALL, COMMUNITIES, NEVER, false, FIELD_STD_COMM, 0),
    KEY("src_comms", ALL, COMMUNITIES, NEVER, false, FIELD_SRC_STD_COMM, 0),
    KEY("local_pref", ALL, NUMBER, NEVER, true, FIELD_LOCAL_PREF, UINT32_MAX),
    KEY("src_local_pref", ALL, NUMBER, NEVER, true, FIELD_SRC_LOCAL_PREF, UINT32_MAX),
    KEY("src_roa", ALL, ROA, NEVER, true, FIELD_SRC_ROA, 0),
    KEY("dst_roa", ALL, ROA, NEVER, true, FIELD_DST_ROA, 0),
};

const unsigned pre_tag_key_count = array_length(pre_tag_keys);
_Static_assert(array_length(pre_tag_keys) <= 64, "the keys of a line are bits of a word");
