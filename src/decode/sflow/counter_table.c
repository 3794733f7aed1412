/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structures of counter records, as data: sflow.org's lists (versions 5, host, application, optical, drop and
 * others), what hsflowd and sflowtool add, Broadcom's and NVIDIA's. Names are those of the specifications; formats 1,
 * 2 and 5 have the type names of pmacct, and the VLAN's number is called `vlan` as there. The letters are explained
 * at struct sflow_counter_structure. Rows are sorted by enterprise and format.
 */
#include "decode/sflow/private.h"

static const struct sflow_counter_structure counter_structures[] = {
    {0, 1, "generic",
     "4ifIndex 4ifType 8ifSpeed 4ifDirection 4ifStatus 8ifInOctets 4ifInUcastPkts 4ifInMulticastPkts "
     "4ifInBroadcastPkts 4ifInDiscards 4ifInErrors 4ifInUnknownProtos 8ifOutOctets 4ifOutUcastPkts "
     "4ifOutMulticastPkts 4ifOutBroadcastPkts 4ifOutDiscards 4ifOutErrors 4ifPromiscuousMode"},
    {0, 2, "ethernet",
     "4dot3StatsAlignmentErrors 4dot3StatsFCSErrors 4dot3StatsSingleCollisionFrames "
     "4dot3StatsMultipleCollisionFrames 4dot3StatsSQETestErrors 4dot3StatsDeferredTransmissions "
     "4dot3StatsLateCollisions 4dot3StatsExcessiveCollisions 4dot3StatsInternalMacTransmitErrors "
     "4dot3StatsCarrierSenseErrors 4dot3StatsFrameTooLongs 4dot3StatsInternalMacReceiveErrors "
     "4dot3StatsSymbolErrors"},
    {0, 3, "tokenring_counters",
     "4dot5StatsLineErrors 4dot5StatsBurstErrors 4dot5StatsACErrors 4dot5StatsAbortTransErrors "
     "4dot5StatsInternalErrors 4dot5StatsLostFrameErrors 4dot5StatsReceiveCongestions 4dot5StatsFrameCopiedErrors "
     "4dot5StatsTokenErrors 4dot5StatsSoftErrors 4dot5StatsHardErrors 4dot5StatsSignalLoss "
     "4dot5StatsTransmitBeacons 4dot5StatsRecoverys 4dot5StatsLobeWires 4dot5StatsRemoves 4dot5StatsSingles "
     "4dot5StatsFreqErrors"},
    {0, 4, "vg_counters",
     "4dot12InHighPriorityFrames 8dot12InHighPriorityOctets 4dot12InNormPriorityFrames 8dot12InNormPriorityOctets "
     "4dot12InIPMErrors 4dot12InOversizeFrameErrors 4dot12InDataErrors 4dot12InNullAddressedFrames "
     "4dot12OutHighPriorityFrames 8dot12OutHighPriorityOctets 4dot12TransitionIntoTrainings "
     "8dot12HCInHighPriorityOctets 8dot12HCInNormPriorityOctets 8dot12HCOutHighPriorityOctets"},
    {0, 5, "vlan",
     "4vlan 8octets 4ucastPkts 4multicastPkts 4broadcastPkts 4discards"},
    {0, 6, "ieee80211_counters",
     "4dot11TransmittedFragmentCount 4dot11MulticastTransmittedFrameCount 4dot11FailedCount 4dot11RetryCount "
     "4dot11MultipleRetryCount 4dot11FrameDuplicateCount 4dot11RTSSuccessCount 4dot11RTSFailureCount "
     "4dot11ACKFailureCount 4dot11ReceivedFragmentCount 4dot11MulticastReceivedFrameCount 4dot11FCSErrorCount "
     "4dot11TransmittedFrameCount 4dot11WEPUndecryptableCount 4dot11QoSDiscardedFragmentCount "
     "4dot11AssociatedStationCount 4dot11QoSCFPollsReceivedCount 4dot11QoSCFPollsUnusedCount "
     "4dot11QoSCFPollsUnusableCount 4dot11QoSCFPollsLostCount"},
    {0, 7, "lag_port_stats",
     "mdot3adAggPortActorSystemID mdot3adAggPortPartnerOperSystemID 4dot3adAggPortAttachedAggID "
     "1dot3adAggPortActorAdminState 1dot3adAggPortActorOperState 1dot3adAggPortPartnerAdminState "
     "1dot3adAggPortPartnerOperState 4dot3adAggPortStatsLACPDUsRx 4dot3adAggPortStatsMarkerPDUsRx "
     "4dot3adAggPortStatsMarkerResponsePDUsRx 4dot3adAggPortStatsUnknownRx 4dot3adAggPortStatsIllegalRx "
     "4dot3adAggPortStatsLACPDUsTx 4dot3adAggPortStatsMarkerPDUsTx 4dot3adAggPortStatsMarkerResponsePDUsTx"},
    {0, 8, "slow_path_counts",
     "4unknown 4other 4cam_miss 4cam_full 4no_hw_support 4cntrl"},
    {0, 9, "ib_counters",
     "8PortXmitPkts 8PortRcvPkts 4SymbolErrorCounter 4LinkErrorRecoveryCounter 4LinkDownedCounter 4PortRcvErrors "
     "4PortRcvRemotePhysicalErrors 4PortRcvSwitchRelayErrors 4PortXmitDiscards 4PortXmitConstraintErrors "
     "4PortRcvConstraintErrors 4LocalLinkIntegrityErrors 4ExcessiveBufferOverrunErrors 4VL15Dropped"},
    {0, 10, "sfp",
     "4module_id 4module_num_lanes 4module_supply_voltage imodule_temperature [lanes 4index 4tx_bias_current "
     "4tx_power 4tx_power_min 4tx_power_max 4tx_wavelength 4rx_power 4rx_power_min 4rx_power_max 4rx_wavelength ]"},
    {0, 11, "pfc",
     "4requests 4indications 4pause_duration 4storm_detected 4storm_restored"},
    {0, 1001, "processor",
     "%5s_cpu %1m_cpu %5m_cpu 8total_memory 8free_memory"},
    {0, 1002, "radio_utilization",
     "4elapsed_time 4on_channel_time 4on_channel_busy_time"},
    {0, 1003, "queue_length",
     "4queueIndex 4segmentSize 4queueSegments 4queueLength0 4queueLength1 4queueLength2 4queueLength4 "
     "4queueLength8 4queueLength32 4queueLength128 4queueLength1024 4queueLengthMore 4dropped"},
    {0, 1004, "of_port",
     "8datapath_id 4port_no"},
    {0, 1005, "port_name",
     "sname"},
    {0, 2000, "host_descr",
     "shostname uuuid 4machine_type 4os_name sos_release"},
    {0, 2001, "host_adapters",
     "[adapters 4ifIndex Mmac_addresses ]"},
    {0, 2002, "host_parent",
     "4container_type 4container_index"},
    {0, 2003, "host_cpu",
     "fload_one fload_five fload_fifteen 4proc_run 4proc_total 4cpu_num 4cpu_speed 4uptime 4cpu_user 4cpu_nice "
     "4cpu_system 4cpu_idle 4cpu_wio 4cpu_intr 4cpu_sintr 4interrupts 4contexts ? 4cpu_steal 4cpu_guest "
     "4cpu_guest_nice"},
    {0, 2004, "host_memory",
     "8mem_total 8mem_free 8mem_shared 8mem_buffers 8mem_cached 8swap_total 8swap_free 4page_in 4page_out "
     "4swap_in 4swap_out"},
    {0, 2005, "host_disk_io",
     "8disk_total 8disk_free %part_max_used 4reads 8bytes_read 4read_time 4writes 8bytes_written 4write_time"},
    {0, 2006, "host_net_io",
     "8bytes_in 4pkts_in 4errs_in 4drops_in 8bytes_out 4packets_out 4errs_out 4drops_out"},
    {0, 2007, "mib2_ip_group",
     "4ipForwarding 4ipDefaultTTL 4ipInReceives 4ipInHdrErrors 4ipInAddrErrors 4ipForwDatagrams "
     "4ipInUnknownProtos 4ipInDiscards 4ipInDelivers 4ipOutRequests 4ipOutDiscards 4ipOutNoRoutes 4ipReasmTimeout "
     "4ipReasmReqds 4ipReasmOKs 4ipReasmFails 4ipFragOKs 4ipFragFails 4ipFragCreates"},
    {0, 2008, "mib2_icmp_group",
     "4icmpInMsgs 4icmpInErrors 4icmpInDestUnreachs 4icmpInTimeExcds 4icmpInParamProbs 4icmpInSrcQuenchs "
     "4icmpInRedirects 4icmpInEchos 4icmpInEchoReps 4icmpInTimestamps 4icmpInAddrMasks 4icmpInAddrMaskReps "
     "4icmpOutMsgs 4icmpOutErrors 4icmpOutDestUnreachs 4icmpOutTimeExcds 4icmpOutParamProbs 4icmpOutSrcQuenchs "
     "4icmpOutRedirects 4icmpOutEchos 4icmpOutEchoReps 4icmpOutTimestamps 4icmpOutTimestampReps 4icmpOutAddrMasks "
     "4icmpOutAddrMaskReps"},
    {0, 2009, "mib2_tcp_group",
     "4tcpRtoAlgorithm 4tcpRtoMin 4tcpRtoMax 4tcpMaxConn 4tcpActiveOpens 4tcpPassiveOpens 4tcpAttemptFails "
     "4tcpEstabResets 4tcpCurrEstab 4tcpInSegs 4tcpOutSegs 4tcpRetransSegs 4tcpInErrs 4tcpOutRsts 4tcpInCsumErrs"},
    {0, 2010, "mib2_udp_group",
     "4udpInDatagrams 4udpNoPorts 4udpInErrors 4udpOutDatagrams 4udpRcvbufErrors 4udpSndbufErrors 4udpInCsumErrors"},
    {0, 2100, "virt_node",
     "4mhz 4cpus 8memory 8memory_free 4num_domains"},
    {0, 2101, "virt_cpu",
     "4state 4cpuTime 4nrVirtCpu"},
    {0, 2102, "virt_memory",
     "8memory 8maxMemory"},
    {0, 2103, "virt_disk_io",
     "8capacity 8allocation 8physical 4rd_req 8rd_bytes 4wr_req 8wr_bytes 4errs"},
    {0, 2104, "virt_net_io",
     "8rx_bytes 4rx_packets 4rx_errs 4rx_drop 8tx_bytes 4tx_packets 4tx_errs 4tx_drop"},
    {0, 2105, "jvm_runtime",
     "svm_name svm_vendor svm_version"},
    {0, 2106, "jvm_statistics",
     "8heap_initial 8heap_used 8heap_committed 8heap_max 8non_heap_initial 8non_heap_used 8non_heap_committed "
     "8non_heap_max 4gc_count 4gc_time 4classes_loaded 4classes_total 4classes_unloaded 4compilation_time "
     "4thread_num_live 4thread_num_daemon 4thread_num_started 4fd_open_count 4fd_max_count"},
    {0, 2200, "memcached_counters",
     "4uptime 4rusage_user 4rusage_system 4curr_connections 4total_connections 4connection_structures 4cmd_get "
     "4cmd_set 4cmd_flush 4get_hits 4get_misses 4delete_misses 4delete_hits 4incr_misses 4incr_hits 4decr_misses "
     "4decr_hits 4cas_misses 4cas_hits 4cas_badval 4auth_cmds 4auth_errors 8bytes_read 8bytes_written "
     "4limit_maxbytes 4accepting_conns 4listen_disabled_num 4threads 4conn_yields 8bytes 4curr_items 4total_items "
     "4evictions"},
    {0, 2201, "http_counters",
     "4method_option_count 4method_get_count 4method_head_count 4method_post_count 4method_put_count "
     "4method_delete_count 4method_trace_count 4method_connect_count 4method_other_count 4status_1XX_count "
     "4status_2XX_count 4status_3XX_count 4status_4XX_count 4status_5XX_count 4status_other_count"},
    {0, 2202, "app_operations",
     "sapplication 4success 4other 4timeout 4internal_error 4bad_request 4forbidden 4too_large 4not_implemented "
     "4not_found 4unavailable 4unauthorized"},
    {0, 2203, "app_resources",
     "4user_time 4system_time 8mem_used 8mem_max 4fd_open 4fd_max 4conn_open 4conn_max"},
    {0, 2204, "memcache_counters",
     "4cmd_set 4cmd_touch 4cmd_flush 4get_hits 4get_misses 4delete_hits 4delete_misses 4incr_hits 4incr_misses "
     "4decr_hits 4decr_misses 4cas_hits 4cas_misses 4cas_badval 4auth_cmds 4auth_errors 4threads 4conn_yields "
     "4listen_disabled_num 4curr_connections 4rejected_connections 4total_connections 4connection_structures "
     "4evictions 4reclaimed 4curr_items 4total_items 8bytes_read 8bytes_written 8bytes 8limit_maxbytes"},
    {0, 2205, "vdi",
     "4sessions_current 4sessions_total 4sessions_duration 4rx_bytes 4tx_bytes 4rx_packets 4tx_packets "
     "4rx_packets_lost 4tx_packets_lost 4rtt_min 4rtt_max 4rtt_avg 4audio_rx_bytes 4audio_tx_bytes "
     "4audio_tx_limit 4img_rx_bytes 4img_tx_bytes 4img_frames 4img_qual_min 4img_qual_max 4img_qual_avg "
     "4usb_rx_bytes 4usb_tx_bytes"},
    {0, 2206, "app_workers",
     "4workers_active 4workers_idle 4workers_max 4req_delayed 4req_dropped"},
    {0, 2207, "ovs_dp_stats",
     "4hits 4misses 4lost 4mask_hits 4flows 4masks"},
    {0, 3000, "energy",
     "4voltage 4current 4real_power ipower_factor 4energy 4errors"},
    {0, 3001, "temperature",
     "iminimum imaximum 4errors"},
    {0, 3002, "humidity",
     "irelative"},
    {0, 3003, "fans",
     "4total 4failed 4speed"},
    {4413, 1, "bst_device_buffers",
     "%uc_pc %mc_pc"},
    {4413, 2, "bst_port_buffers",
     "%ingress_uc_pc %ingress_mc_pc %egress_uc_pc %egress_mc_pc Pegress_queue_uc_pc Pegress_queue_mc_pc"},
    {4413, 3, "hw_tables",
     "4host_entries 4host_entries_max 4ipv4_entries 4ipv4_entries_max 4ipv6_entries 4ipv6_entries_max "
     "4ipv4_ipv6_entries 4ipv4_ipv6_entries_max 4long_ipv6_entries 4long_ipv6_entries_max 4total_routes "
     "4total_routes_max 4ecmp_nexthops 4ecmp_nexthops_max 4mac_entries 4mac_entries_max 4ipv4_neighbors "
     "4ipv6_neighbors 4ipv4_routes 4ipv6_routes 4acl_ingress_entries 4acl_ingress_entries_max "
     "4acl_ingress_counters 4acl_ingress_counters_max 4acl_ingress_meters 4acl_ingress_meters_max "
     "4acl_ingress_slices 4acl_ingress_slices_max 4acl_egress_entries 4acl_egress_entries_max "
     "4acl_egress_counters 4acl_egress_counters_max 4acl_egress_meters 4acl_egress_meters_max 4acl_egress_slices "
     "4acl_egress_slices_max"},
    {5703, 1, "nvidia_gpu",
     "4device_count 4processes 4gpu_time 4mem_time 8mem_total 8mem_free 4ecc_errors 4energy 4temperature "
     "4fan_speed"},
};

const struct sflow_counter_structure *sflow_counter_structure(uint32_t enterprise, uint32_t format)
{
    size_t low = 0, high = array_length(counter_structures);

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct sflow_counter_structure *row = &counter_structures[middle];
        if (row->enterprise == enterprise && row->format == format)
            return row;
        if (row->enterprise < enterprise || (row->enterprise == enterprise && row->format < format))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
