// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Loan {
    enum Level { Low, High }
    uint constant MAX_DAYS = 14;
    mapping(address => uint) private owed;
    event Lent(address who, uint amount);

    function lend(uint amount) public returns (bool) {
        require(amount > 0 && amount < MAX_DAYS, "bad");
        owed[msg.sender] += amount;
        emit Lent(msg.sender, amount);
        return true;
    }
}
