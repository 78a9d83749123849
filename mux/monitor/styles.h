/*
 * What the cells of one terminal refer to by number: looks, clusters, link targets.
 */
#pragma once

#include "mux/monitor/attributes.h"
#include "mux/monitor/clusters.h"
#include "mux/monitor/hyperlinks.h"

struct styles {
    struct attributes attributes;
    struct clusters clusters;
    struct hyperlinks links;
};
