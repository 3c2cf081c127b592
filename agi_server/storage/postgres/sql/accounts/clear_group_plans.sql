DELETE FROM group_plan WHERE group_id = $1
