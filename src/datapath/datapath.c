/* SPDX-License-Identifier: GPL-2.0-only */
/* What all datapaths share: the words for the numbers of bpf/abi.h. */
#include "datapath/datapath.h"

const char *sr_drop_reason_text(enum sr_drop_reason reason)
{
	static const char *const texts[SR_DROP_MAX] = {
#define X(sym, text) [SR_DROP_##sym] = (text),
		SR_DROP_REASONS(X)
#undef X
	};

	return (unsigned int)reason < SR_DROP_MAX ? texts[reason] : "?";
}
