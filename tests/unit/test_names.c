/*
 * spec/names.c: the tables are sound, and agree with what the kernel's headers say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "runtime/base/array.h"
#include "spec/names.h"

static const struct name *const tables[] = {
	namespace_names,	capability_names,	  rlimit_names,
	scheduler_policy_names, scheduler_flag_names,	  io_priority_class_names,
	personality_names,	memory_policy_mode_names, memory_policy_flag_names,
	propagation_names,	device_type_names,	  device_rule_type_names,
	landlock_fs_names,	landlock_net_names,	  landlock_scope_names,
};

/* Both directions must be without doubt: no word and no number twice. */
static void test_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		assert_string_not_equal(tables[i]->name, "");
		for (const struct name *name = tables[i]; *name->name; name++) {
			uint64_t value;

			assert_in_range(strnlen(name->name, sizeof(name->name)), 1,
					sizeof(name->name) - 1);
			assert_true(name_value(tables[i], name->name, &value));
			assert_int_equal(value, name->value);
			assert_string_equal(name_text(tables[i], name->value), name->name);
		}
	}
}

static size_t count(const struct name *table)
{
	size_t len = 0;

	while (*table[len].name)
		len++;
	return len;
}

static void test_complete(void **state)
{
	(void)state;
	assert_int_equal(count(namespace_names), 8);
	assert_int_equal(count(rlimit_names), RLIM_NLIMITS);
	for (size_t i = 0; i < RLIM_NLIMITS; i++)
		assert_non_null(name_text(rlimit_names, i));
	for (size_t i = 0; i <= 40; i++) /* CAP_CHECKPOINT_RESTORE */
		assert_int_equal(capability_names[i].value, i);
}

static void test_values(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(name_value(namespace_names, "mount", &value));
	assert_int_equal(value, CLONE_NEWNS);
	assert_true(name_value(capability_names, "CAP_SYS_ADMIN", &value));
	assert_int_equal(value, CAP_SYS_ADMIN);
	assert_true(name_value(propagation_names, "rslave", &value));
	assert_int_equal(value, MS_SLAVE | MS_REC);
	assert_false(name_value(capability_names, "cap_sys_admin", &value));
	assert_false(name_value(namespace_names, "", &value));
}

static uint64_t all(const struct name *table)
{
	uint64_t mask = 0;

	for (; *table->name; table++)
		mask |= table->value;
	return mask;
}

/* Each ABI has all that the one before had, and the newest has all that has a name. */
static void test_landlock_abis(void **state)
{
	const struct landlock_abi *newest = &landlock_abis[LANDLOCK_ABI_NEWEST];

	(void)state;
	for (size_t i = 1; i <= LANDLOCK_ABI_NEWEST; i++) {
		const struct landlock_abi *before = &landlock_abis[i - 1], *abi = &landlock_abis[i];

		assert_int_equal(before->fs & ~abi->fs, 0);
		assert_int_equal(before->net & ~abi->net, 0);
		assert_int_equal(before->scoped & ~abi->scoped, 0);
		assert_int_equal(before->restrict_flags & ~abi->restrict_flags, 0);
		/* and something came with each */
		assert_true(memcmp(before, abi, sizeof(*abi)) != 0);
	}
	assert_int_equal(landlock_abis[0].fs, 0);
	assert_int_equal(newest->fs, all(landlock_fs_names));
	assert_int_equal(newest->net, all(landlock_net_names));
	assert_int_equal(newest->scoped, all(landlock_scope_names));
}

static uint64_t right(const char *name)
{
	uint64_t value = 0;

	assert_true(name_value(landlock_fs_names, name, &value));
	return value;
}

static void test_landlock_groups(void **state)
{
	(void)state;
	assert_int_equal(landlock_fs_read_execute,
			 right("execute") | right("read_file") | right("read_dir"));
	assert_int_equal(landlock_fs_read_write, all(landlock_fs_names) & ~right("execute"));
	assert_int_equal(landlock_fs_file, right("execute") | right("write_file") |
						   right("read_file") | right("truncate") |
						   right("ioctl_dev") | right("resolve_unix"));
	/* first and last of the kernel's order */
	assert_int_equal(right("execute"), 1);
	assert_int_equal(right("refer"), 1 << 13);
	assert_int_equal(right("resolve_unix"), 1 << 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unique),		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_values),		cmocka_unit_test(test_landlock_abis),
		cmocka_unit_test(test_landlock_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
