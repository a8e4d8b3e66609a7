// SPDX-License-Identifier: GPL-2.0-only
/* model/names.c: ids, addresses and names as text. */
#include "unit.h"
#include "model/model.h"

#include <errno.h>
#include <string.h>

#define UUID "7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8"

static void test_uuid(void **state)
{
	static const struct sr_uuid want = {
		{0x7c, 0x1e, 0xe6, 0xa4, 0x2f, 0x0b, 0x4c, 0x55, 0x9d, 0x0e, 0x3b, 0x7a, 0x61, 0xf0, 0xc9, 0xe8}};
	char buf[SR_UUID_STRLEN];
	struct sr_uuid id;

	(void)state;
	assert_int_equal(sr_uuid_parse(UUID, 36, &id), 0);
	assert_memory_equal(&id, &want, sizeof(id));
	assert_string_equal(sr_uuid_format(&id, buf), UUID);
	memset(&id, 0, sizeof(id));
	assert_int_equal(sr_uuid_parse("7C1EE6A4-2F0B-4C55-9D0E-3B7A61F0C9E8 and more", 36, &id), 0);
	assert_memory_equal(&id, &want, sizeof(id));
}

static void test_uuid_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"7c1ee6a42f0b4c559d0e3b7a61f0c9e8",
		"7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e",
		"7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e80",
		"7c1ee6a42-f0b-4c55-9d0e-3b7a61f0c9e8",
		"7c1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9eg",
		"gc1ee6a4-2f0b-4c55-9d0e-3b7a61f0c9e8",
		"7c1ee6a4_2f0b-4c55-9d0e-3b7a61f0c9e8",
		"7c1ee6a4-2f0b_4c55-9d0e-3b7a61f0c9e8",
		"7c1ee6a4-2f0b-4c55_9d0e-3b7a61f0c9e8",
		"7c1ee6a4-2f0b-4c55-9d0e_3b7a61f0c9e8",
	};
	struct sr_uuid id = {{1}}, untouched = id;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sr_case("\"%s\"", bad[i]);
		assert_int_equal(sr_uuid_parse(bad[i], strlen(bad[i]), &id), -EINVAL);
		assert_memory_equal(&id, &untouched, sizeof(id));
	}
}

static void test_mac(void **state)
{
	static const char *const bad[] = {
		"",
		"fa:16:3e:2b:9c",
		"fa:16:3e:2b:9c:07:",
		"fa-16-3e-2b-9c-07",
		"fa:16:3e:2b:9c-07",
		"fa:16:3e:2b:9c:0g",
		"01:00:5e:00:00:01",
		"ff:ff:ff:ff:ff:ff",
		"00:00:00:00:00:00",
	};
	struct sr_mac mac, untouched;
	char buf[SR_MAC_STRLEN];

	(void)state;
	assert_int_equal(sr_mac_parse("FA:16:3e:2b:9C:07", 17, &mac), 0);
	assert_string_equal(sr_mac_format(&mac, buf), "fa:16:3e:2b:9c:07");
	untouched = mac;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sr_case("\"%s\"", bad[i]);
		assert_int_equal(sr_mac_parse(bad[i], strlen(bad[i]), &mac), -EINVAL);
		assert_memory_equal(&mac, &untouched, sizeof(mac));
	}
}

static void test_addr(void **state)
{
	static const char *const good[] = {"10.0.0.1", "0.0.0.0", "2001:db8::1", "::", "::1"};
	static const char *const bad[] = {"", "10.0.0", "10.0.0.1/32", "::ffff:10.0.0.1", "::ffff:0:1", "fe80::1%eth0"};
	struct in6_addr a, untouched;
	char buf[INET6_ADDRSTRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		sr_case("\"%s\"", good[i]);
		assert_int_equal(sr_addr_parse(good[i], &a), 0);
		assert_int_equal(IN6_IS_ADDR_V4MAPPED(&a), strchr(good[i], '.') != NULL);
		assert_string_equal(sr_addr_format(&a, buf), good[i]);
	}
	untouched = a;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sr_case("\"%s\"", bad[i]);
		assert_int_equal(sr_addr_parse(bad[i], &a), -EINVAL);
		assert_memory_equal(&a, &untouched, sizeof(a));
	}
}

static void test_vrf_name(void **state)
{
	static const struct {
		const char *project, *network, *name; /* NULL: refused */
	} cases[] = {
		/* The reference's: "vrf" + tenant's id + network's id. */
		{"644606f50a8b4f0e9d3c1b2a7e5d4c3f", "a2903911-5f6e-4b8a-9d21-0c4f7e6a1b2d", "vrf644606a29039"},
		{"5c0594", "737b87", "vrf5c0594737b87"},
		{"5C0594FF", "737B87FF", "vrf5c0594737b87"},
		{"5c-05-94", "7-3-7-b-8-7", "vrf5c0594737b87"},
		{"5c059", "737b87", NULL},
		{"5c0594", "737b8", NULL},
		{"5c059g", "737b87", NULL},
		{"5c0594", "737 b87", NULL},
		{"", "", NULL},
		{"-----", "737b87", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[SR_VRF_NAME_SIZE] = "untouched";

		sr_case("%s %s", cases[i].project, cases[i].network);
		assert_int_equal(sr_vrf_name(cases[i].project, cases[i].network, name), cases[i].name ? 0 : -EINVAL);
		assert_string_equal(name, cases[i].name ? cases[i].name : "untouched");
		assert_int_equal(sr_vrf_name_valid(name), true);
	}
}

static void test_valid_names(void **state)
{
	static const struct {
		const char *name;
		bool vrf, node;
	} cases[] = {
		{"vrf644606a29039", true, true},
		{"a", true, true},
		{"A-b_C-9", true, true},
		{"hv1.example.net", false, true},
		{"abcdefghijklmnop", false, true}, /* 16 */
		{".hidden", false, false},
		{"..", false, false},
		{"", false, false},
		{"a/b", false, false},
		{"a b", false, false},
		{"a\n", false, false},
		{"\xc3\xa4", false, false},
		{"@", false, false},
		{"[", false, false},
		{"`", false, false},
		{"{", false, false},
		{":", false, false},
		{"-----------------------------------------------------------abcd", false, true},   /* 63 */
		{"-----------------------------------------------------------abcde", false, false}, /* 64 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sr_case("\"%s\"", cases[i].name);
		assert_int_equal(sr_vrf_name_valid(cases[i].name), cases[i].vrf);
		assert_int_equal(sr_name_valid(cases[i].name), cases[i].node);
	}
}

static void test_tap_name(void **state)
{
	char buf[SR_TAP_NAME_SIZE];
	struct sr_uuid id;

	(void)state;
	assert_int_equal(sr_uuid_parse(UUID, 36, &id), 0);
	assert_string_equal(sr_tap_name(&id, buf), "tap7c1ee6a4-2f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid),	 cmocka_unit_test(test_uuid_refused),
		cmocka_unit_test(test_mac),	 cmocka_unit_test(test_addr),
		cmocka_unit_test(test_vrf_name), cmocka_unit_test(test_valid_names),
		cmocka_unit_test(test_tap_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
