/*
 * Looking things up in a configuration, see spec.h.
 */
#include "spec/spec.h"

const struct spec_namespace *spec_find_namespace(const struct spec *spec, uint64_t type)
{
	const struct spec_namespaces *list = &spec->linux.namespaces;

	for (size_t i = 0; i < list->len; i++)
		if (list->item[i].type == type)
			return &list->item[i];
	return NULL;
}

const struct spec_id_mapping *spec_find_mapping(const struct spec_id_mappings *mappings,
						uint32_t id)
{
	for (size_t i = 0; i < mappings->len; i++)
		if (id - mappings->item[i].container_id < mappings->item[i].size)
			return &mappings->item[i];
	return NULL;
}
